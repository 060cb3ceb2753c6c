"""Fires through a scheduler that is killed, away, slow and given wrong clocks: judged by the list of what happened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from random import Random

import pytest

from courier.config.project import Constraint, CourierGroup
from courier.runtime.decide import PastRun
from courier.runtime.schedule import fires
from courier.runtime.scheduler.in_hand import REWOUND, Standing, done, first_standing, look, take_in

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 7, 12, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Australia/Lord_Howe")
SCHEDULES = ("*/20 * * * *", "0 * * * *", "15 */3 * * *", "30 2 * * *")


@dataclass
class Life:
    """What the scheduler did to one group, minute by minute."""

    group: CourierGroup
    standing: Standing
    ends: datetime | None = None  # of the run under way
    runs: list[tuple[datetime, datetime]] = field(default_factory=list)  # S, when it started
    over: list[tuple[datetime, str]] = field(default_factory=list)
    collapsed: set[datetime] = field(default_factory=set)
    past: list[PastRun] = field(default_factory=list)


def live(seed: int, group: CourierGroup, others: list[PastRun]) -> Life:
    """Ten days of one group: its scheduler looks now and then, is away for hours, dies between any two steps."""
    roll = Random(seed)
    life = Life(group, first_standing(group, None, BEGIN, same_schedule=True))
    now = BEGIN
    while now < BEGIN + timedelta(days=10):
        step(life, now, roll, [run for run in others if run.scheduled <= now])
        now += MINUTE * roll.choice((1, 1, 2, 5, 20)) + (HOUR * roll.randrange(9) if roll.random() < 0.02 else MINUTE)
        now -= timedelta(minutes=7) if roll.random() < 0.02 else timedelta(0)  # NTP sets the clock back
    return life


def step(life: Life, now: datetime, roll: Random, others: list[PastRun]) -> None:
    if life.ends and now >= life.ends:
        assert life.standing.hand
        if roll.random() < 0.2:  # the run was killed: the same fire again
            life.ends = None
        else:
            finish(life, "succeeded")
            life.ends = None
    if roll.random() < 0.1:
        return  # killed before it saved anything
    taken = take_in(life.group, life.standing, now)
    if taken.collapsed:
        life.collapsed.add(taken.collapsed)
    life.standing = taken.standing
    if roll.random() < 0.1 or life.ends or not life.standing.hand:
        return
    found = look(life.group, life.standing, now, [*others, *life.past])
    if found.answer == "run":
        life.runs.append((life.standing.hand, now))
        life.ends = now + MINUTE * roll.choice((1, 3, 45, 200))
    elif found.answer in ("blocked", "covered"):
        finish(life, found.answer)


def finish(life: Life, result: str) -> None:
    assert life.standing.hand
    life.over.append((life.standing.hand, result))
    life.past += [PastRun(life.group.name, life.standing.hand, True)] * (result == "succeeded")
    life.standing = done(life.standing)


def group_of(seed: int, constraints: tuple[Constraint, ...] = ()) -> CourierGroup:
    roll = Random(seed)
    return CourierGroup("g", roll.choice(SCHEDULES), roll.choice(ZONES), True, "full", (), constraints)


@pytest.mark.parametrize("seed", range(12))
def test_every_fire_is_dealt_with_once_or_stands_in_a_later_one(seed: int) -> None:
    """No fire is over twice, none is made up, and each is over itself or followed by a later one that is."""
    life = live(seed, group_of(seed), [])
    last = max(fire for fire, _ in life.over)
    known = list(takewhile(lambda at: at <= last, fires(life.group, BEGIN)))
    ended = [fire for fire, _ in life.over]
    assert len(set(ended)) == len(ended)
    assert set(ended) <= set(known)
    assert all(earlier < later for earlier, later in pairwise(ended))
    assert not life.collapsed & set(ended)
    assert all(start >= fire for fire, start in life.runs)
    standing = life.standing
    assert standing.upto in (last, standing.hand, standing.queued)
    assert len(ended) > len(list(takewhile(lambda at: at <= standing.upto, fires(life.group, BEGIN)))) / 8


@pytest.mark.parametrize("seed", range(8))
def test_constraints_are_obeyed_by_what_runs_and_by_what_is_blocked(seed: int) -> None:
    """Recomputed from the list of the other group's runs alone, without `decide`."""
    offset, wait = HOUR, timedelta(minutes=50)
    roll = Random(seed)
    others = [PastRun("o", BEGIN + HOUR * n + MINUTE * roll.randrange(60), roll.random() < 0.4) for n in range(240)]
    life = live(seed, group_of(seed, (Constraint("o", offset=offset, wait=wait),)), others)
    good = [run.scheduled for run in others if run.succeeded]
    assert life.runs
    for fire, start in life.runs:
        assert any(fire - offset <= at <= min(fire + wait, start) for at in good)
    blocked = [fire for fire, result in life.over if result == "blocked"]
    assert blocked
    for fire in blocked:
        assert not any(fire - offset <= at <= fire + wait for at in good if fire < BEGIN + timedelta(days=9))


def test_missed_fires_are_one_run_the_latest() -> None:
    group = CourierGroup("g", "* * * * *", "UTC", True, "full", ())
    taken = take_in(group, Standing(BEGIN), BEGIN + timedelta(days=300, seconds=5))
    assert taken.standing == Standing(BEGIN + timedelta(days=300), hand=BEGIN + timedelta(days=300))
    assert taken.missed


def test_one_is_in_hand_and_the_latest_is_queued() -> None:
    """A third fire takes the second one's place; when the first is over, the third is in hand."""
    group = CourierGroup("g", "0 * * * *", "UTC", True, "full", ())
    standing = Standing(BEGIN - HOUR)
    collapsed: list[datetime | None] = []
    for hours in range(3):
        taken = take_in(group, standing, BEGIN + hours * HOUR)
        standing, collapsed = taken.standing, [*collapsed, taken.collapsed]
    assert standing == Standing(BEGIN + 2 * HOUR, BEGIN, BEGIN + 2 * HOUR)
    assert collapsed == [None, None, BEGIN + HOUR]
    assert take_in(group, done(standing), BEGIN + 2 * HOUR).standing.hand == BEGIN + 2 * HOUR


def test_what_is_new_or_changed_does_not_fire_for_the_past_and_loses_nothing() -> None:
    group = CourierGroup("g", "0 * * * *", "UTC", True, "full", ())
    kept = Standing(BEGIN - 9 * HOUR, hand=BEGIN - 10 * HOUR, queued=BEGIN - 9 * HOUR)
    assert first_standing(group, None, BEGIN, same_schedule=True) == Standing(BEGIN)
    assert first_standing(group, kept, BEGIN, same_schedule=False) == replace(kept, upto=BEGIN)
    assert first_standing(group, kept, BEGIN, same_schedule=True) == kept


def test_a_clock_that_was_a_year_ahead_does_not_silence_a_group() -> None:
    group = CourierGroup("g", "0 * * * *", "UTC", True, "full", ())
    ahead, near = Standing(BEGIN + timedelta(days=365)), Standing(BEGIN + REWOUND)
    assert first_standing(group, ahead, BEGIN, same_schedule=True) == Standing(BEGIN)
    assert first_standing(group, near, BEGIN, same_schedule=True) == near


@pytest.mark.parametrize(
    ("schedule", "day", "expected"),
    [("30 1 * * *", "2026-11-01", ["05:30"]), ("30 2 * * *", "2026-03-08", ["07:00"])],
)
def test_a_clock_change_fires_once(schedule: str, day: str, expected: list[str]) -> None:
    """New York, looked at every five minutes: 01:30 twice in autumn, 02:30 never in spring."""
    group = CourierGroup("g", schedule, "America/New_York", True, "full", ())
    begin = datetime.fromisoformat(day).replace(hour=4, tzinfo=UTC)
    standing, taken = Standing(begin), []
    for minutes in range(0, 24 * 60, 5):
        found = take_in(group, done(standing), begin + minutes * MINUTE)
        standing = found.standing
        taken += [found.fire] if found.fire else []
    assert [f"{fire:%H:%M}" for fire in taken] == expected
