"""Two simulated weeks of real schedulers and runs, judged by a checker that shares no code with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from courier import clock
from tests.runs.hurried import Hurried
from tests.runs.recomputed import Account, CourierRun, FeedRun, GroupRun, wrong_with
from tests.runs.simulated_time import Timekeeper
from tests.runs.simulated_weeks import BEGIN, weeks

SEED = 1
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST = BEGIN.replace(hour=6)  # 07:00 in Berlin, the day after its clocks were put back
PLAIN = """
first:
  schedule: "0 7 * * *"
  timezone: Europe/Berlin
  couriers: { shopify: { wait: 20m } }
second:
  schedule: "30 7 * * *"
  timezone: Europe/Berlin
  couriers: { shopify: { offset: 24h } }
  constraints: [{ group: first, offset: 1h, wait: 15m }]
"""


def test_two_weeks_of_bad_days_lose_and_double_nothing(
    tmp_path: Path, hurry: Hurried, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outages, kills, edits and absences: every row is in the tables at the end, every constraint and wait obeyed."""
    with Timekeeper(tmp_path / "time", BEGIN) as time:
        monkeypatch.setattr(clock, "now", time.now)
        with weeks(SEED, tmp_path, hurry, time) as lived:
            lived.live()
            assert "Traceback" not in lived.said(), lived.said()
            account = lived.account()
            assert wrong_with(account) == [], f"seed {SEED}"
            assert lived.is_true, f"seed {SEED}"
    assert {row.result for row in account.group_runs} == {"succeeded", "failed", "blocked", "killed"}
    assert len(account.group_runs) > 20 and lived.happened.killed_schedulers and len(account.versions) == 3


def plain_account() -> Account:
    """Three days on which nothing went wrong."""
    groups, couriers, feeds = [], [], []
    reached = None
    for day in range(1, 4):
        for name, minutes in (("first", 0), ("second", 30)):
            at = FIRST + day * DAY + timedelta(minutes=minutes)
            run, ended = f"{name}-{day}", at + timedelta(minutes=5)
            groups.append(GroupRun(run, name, at, "schedule", at, ended, "succeeded", committed=True))
            couriers.append(CourierRun(f"c-{run}", "shopify", name, at, at, ended, "succeeded"))
            request = (reached - DAY if reached else None, at if reached else None)
            feeds.append(FeedRun(f"c-{run}", "shopify", "order", (reached, at), request))
            reached = at
    covered = {("shopify", "order"): [(None, reached)]}
    begin, end, minute = FIRST + HOUR, FIRST + 4 * DAY - HOUR, timedelta(minutes=1)
    return Account([(begin, PLAIN)], groups, couriers, feeds, covered, [], [], end, minute, minute)


def change_row(rows: Sequence[Any], run: str, **values: Any) -> list[Any]:
    return [replace(row, **values) if row.run == run else row for row in rows]


def without(rows: Sequence[Any], run: str) -> list[Any]:
    return [row for row in rows if row.run != run]


def test_the_checker_finds_nothing_wrong_with_a_quiet_history() -> None:
    assert wrong_with(plain_account()) == []


@pytest.mark.parametrize(
    ("said", "table", "spoil"),
    [
        ("was lost", "group_runs", lambda rows: without(rows, "second-2")),
        ("dealt with 2 times", "group_runs", lambda rows: [*rows, replace(rows[2], run="again")]),
        ("no schedule fires", "group_runs", lambda rows: change_row(rows, "first-2", scheduled=FIRST + DAY + HOUR)),
        ("before its fire", "group_runs", lambda rows: change_row(rows, "first-2", started=FIRST + DAY)),
        ("was left after", "group_runs", lambda rows: change_row(rows, "second-3", result="killed", committed=False)),
        ("ran without a run", "group_runs", lambda rows: change_row(rows, "first-2", committed=False)),
        ("ran without a run", "group_runs", lambda rows: change_row(rows, "first-2", ended=FIRST + 2 * DAY + HOUR)),
        ("what it waited for had come", "group_runs", lambda rows: change_row(rows, "second-2", result="blocked")),
        ("was not covered", "group_runs", lambda rows: change_row(rows, "first-3", result="covered", committed=False)),
        ("was there in time", "courier_runs", lambda rows: change_row(rows, "c-first-2", result="failed")),
        ("is doubled", "feed_runs", lambda rows: change_row(rows, "c-first-2", period=(FIRST, FIRST + 2 * DAY))),
        ("is lost", "feed_runs", lambda rows: without(rows, "c-second-1")),
        ("the ledger says", "coverage", lambda found: {("shopify", "order"): [(None, FIRST)]}),
        ("asked for too little", "feed_runs", lambda rows: change_row(rows, "c-second-2", request=rows[3].period)),
        ("not to its instant", "courier_runs", lambda rows: change_row(rows, "c-second-2", scheduled=FIRST)),
    ],
)
def test_the_checker_finds_what_is_wrong(said: str, table: str, spoil: Callable[[Any], Any]) -> None:
    account = plain_account()
    broken = replace(account, **{table: spoil(getattr(account, table))})
    assert any(said in line for line in wrong_with(broken)), wrong_with(broken)


def test_absences_and_sources_that_stay_away_are_excuses() -> None:
    """A fire that was missed and overtaken, and a run whose source came back too late; a minute less is none."""
    account, fire = plain_account(), FIRST + 2 * DAY
    rows = without(without(account.group_runs, "first-2"), "second-2")
    missed = replace(account, group_runs=without(rows, "second-3"), feed_runs=[], coverage={})
    for minutes, lost in ((-1, 3), (0, 2), (29, 2), (30, 1)):
        until = fire + DAY + timedelta(minutes=minutes)
        account_ = replace(missed, down=[(fire - HOUR, until)], slack=timedelta(0))
        assert sum("was lost" in line for line in wrong_with(account_)) == lost
    failed = change_row(account.courier_runs, "c-first-2", result="failed", ended=fire + HOUR)
    for minutes, excused in ((18, False), (21, True)):
        away = [(fire - HOUR, fire + timedelta(minutes=minutes))]
        assert (wrong_with(replace(account, courier_runs=failed, away=away)) == []) is excused
