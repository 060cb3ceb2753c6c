"""Which runs give rise to which alerts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from courier.config.project import CourierGroup
from courier.runtime.alerting.group_run import AlertedCourier, AlertedRun, alerted_run
from courier.runtime.alerting.judge import alerts_of, words
from courier.runtime.result import CourierResult, FeedResult, GroupResult, Result
from courier.storage.ledger import FeedRun
from courier.storage.load import Counters

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GOOD = AlertedCourier("shopify", "run-a", "succeeded", 1234, 56)
BAD = AlertedCourier("klaviyo", "run-b", "failed", problem="The token was refused (401).", fix="Set another.")
RUN = AlertedRun("all", "run-g", "schedule", NOON, NOON, NOON + timedelta(hours=3), "succeeded", (GOOD,))


def kinds(run: AlertedRun, previous: Result | None = None) -> list[str]:
    return [alert.kind for alert in alerts_of(run, previous)]


@pytest.mark.parametrize(
    ("result", "previous", "kind"),
    [
        ("failed", "succeeded", ["failed"]),
        ("failed", "failed", ["failed"]),
        ("partial", None, ["failed"]),
        ("blocked", "succeeded", ["blocked"]),
        ("succeeded", None, []),
        ("succeeded", "succeeded", []),
        ("succeeded", "failed", ["recovered"]),
        ("succeeded", "partial", ["recovered"]),
        ("succeeded", "blocked", ["recovered"]),
        ("covered", "failed", []),
        ("interrupted", "succeeded", []),
    ],
)
def test_the_result_decides(result: Result, previous: Result | None, kind: list[str]) -> None:
    """Every failure is told; a success only after something else; by hand nothing at all."""
    run = replace(RUN, result=result, couriers=(GOOD, BAD) if result in ("failed", "partial") else (GOOD,))
    assert kinds(run, previous) == kind
    assert kinds(replace(run, trigger="hand", alert_after=timedelta(0)), previous) == []


def test_a_run_is_late_once() -> None:
    """While it runs or at its end, whichever comes first; exactly as long as allowed is not late."""
    late = replace(RUN, alert_after=timedelta(hours=2))
    assert kinds(late) == ["late"]
    (told,) = alerts_of(replace(late, result="running"))
    assert told.text == "late: it has been running for 3 hours, longer than 2 hours"
    assert kinds(replace(late, told_late=True)) == kinds(replace(late, alert_after=timedelta(hours=3))) == []
    assert kinds(RUN) == kinds(replace(RUN, result="running"), "failed") == []


def test_a_failure_names_each_courier_and_what_to_type() -> None:
    (told,) = alerts_of(replace(RUN, result="partial", couriers=(GOOD, BAD)))
    assert told.text == (
        "failed: 1 of 2 couriers did not commit\n"
        "  shopify succeeded: 1,234 rows read, 56 changed\n"
        "  klaviyo failed: The token was refused (401).\n"
        "    fix: Set another."
    )
    assert told.command == "courier runs show run-b"


def test_a_failure_outside_of_any_courier_is_told_for_the_run() -> None:
    """A run that ended before its couriers did anything; one that was covered already did nothing wrong."""
    lost = replace(RUN, result="failed", couriers=(), problem="The disk is full.", fix="Make room.")
    covered = replace(lost, couriers=(replace(GOOD, result="covered"),))
    for run in (lost, covered):
        (told,) = alerts_of(run)
        assert told.text.startswith("failed: The disk is full.\n  fix: Make room.")
        assert told.command == "courier status"


def test_a_groups_result_is_all_that_is_needed() -> None:
    """The counts of all feeds, and what went wrong, as the run's own result has them."""
    counters = Counters(read=9, inserted=3, updated=2, unchanged=4, deleted=1)
    feed = FeedResult("order", None, None, counters, True, None)
    couriers = (
        CourierResult("shopify", "run-a", "succeeded", feeds=(feed, feed)),
        CourierResult("klaviyo", "run-b", "failed", problem=BAD.problem, fix=BAD.fix),
    )
    group = CourierGroup("all", None, "UTC", True, "full", (), alert_after=timedelta(hours=2))
    result = GroupResult("run-g", "all", "partial", NOON, NOON + timedelta(hours=3), couriers, BAD.problem, BAD.fix)
    run = alerted_run(result, group, NOON, "schedule")
    assert run.couriers == (replace(GOOD, read=18, changed=12), BAD)
    assert kinds(run) == ["failed", "late"]


def test_a_blocked_run_says_what_it_waited_for() -> None:
    (told,) = alerts_of(replace(RUN, result="blocked", couriers=(), problem="customers did not commit.", fix="Run it."))
    assert told.text == "blocked: customers did not commit.\n  fix: Run it."
    assert told.command == "courier status"


def days(read: int, fresh: int, last: tuple[int, int], whole: bool = False) -> list[FeedRun]:
    """Ten daily runs; the last, this one, with figures of its own."""
    figures = [(read, fresh)] * 9 + [last]
    runs = [f"run-{day}" for day in range(9)] + ["run-a"]
    spans = (NOON + timedelta(days=day) for day in range(10))
    return [
        FeedRun("order", run, at, timedelta(days=1), whole, *counted)
        for run, at, counted in zip(runs, spans, figures, strict=True)
    ]


def test_look_back_hides_nothing() -> None:
    """What counts is what was new: rows that an offset reads once more are neither volume nor life."""
    (told,) = alerts_of(RUN, "succeeded", {"shopify": {"order": days(900, 30, (870, 0))}})
    assert (told.kind, told.command) == ("volume", "courier runs show run-a")
    assert told.text == "volume: shopify.order: 0 rows for 1 day, where about 30 are usual"


def test_a_feed_that_is_listed_whole_is_judged_by_all_its_rows() -> None:
    """A catalogue that never changes is not stale, and one that is suddenly empty is told."""
    assert alerts_of(RUN, "succeeded", {"shopify": {"order": days(60, 0, (60, 0), whole=True)}}) == ()
    (told,) = alerts_of(RUN, "succeeded", {"shopify": {"order": days(60, 0, (0, 0), whole=True)}})
    assert told.kind == "volume"


def test_only_what_this_run_committed_is_judged() -> None:
    """A feed that the run skipped keeps what was said of it before."""
    stopped = days(900, 30, (0, 0))
    other = replace(RUN, couriers=(replace(GOOD, run="run-z"),))
    assert alerts_of(other, "succeeded", {"shopify": {"order": stopped}}) == ()


def test_a_pause_is_told_in_words() -> None:
    paused = [replace(one, fresh=one.fresh if day < 12 else 0) for day, one in enumerate(days(3, 3, (0, 0)))]
    later = [replace(paused[-1], until=paused[-1].until + timedelta(days=1))]
    paused[-1] = replace(paused[-1], run="run-9")
    (told,) = alerts_of(RUN, "succeeded", {"shopify": {"order": [*paused, *later]}})
    assert told.text == (
        "stale: shopify.order: no new row for 2 days, since 2026-11-28T12:00:00Z; the longest pause before was 1 day"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "less than a second"), (61, "1 minute 1 second"), (90061, "1 day 1 hour"), (7200, "2 hours")],
)
def test_times_are_said_in_two_units(seconds: int, said: str) -> None:
    assert words(timedelta(seconds=seconds)) == said
