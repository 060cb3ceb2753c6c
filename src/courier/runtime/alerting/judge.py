"""Which alerts a run of a group gives rise to. Pure: what is known goes in, alerts come out.

Runs by hand give rise to none: somebody sits in front of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from courier.clock import rfc3339
from courier.runtime.alerting.group_run import Alert, AlertedCourier, AlertedRun
from courier.runtime.alerting.unusual import Count, newly_stale, unusual_volume

if TYPE_CHECKING:
    from courier.config.project import AlertKind
    from courier.runtime.result import Result
    from courier.storage.ledger import FeedRun

Histories = Mapping[str, Mapping[str, Sequence["FeedRun"]]]
"""The feeds' committed runs in order of time, by courier and feed: `ledger.feed_history` of each courier."""
_BAD = ("failed", "partial", "blocked")


def alerts_of(run: AlertedRun, previous: Result | None = None, histories: Histories | None = None) -> tuple[Alert, ...]:
    """The alerts of a run that has ended; of one under way, whether it is late.

    previous: what came of the group's scheduled run before it, interrupted and covered ones left out.
    histories: with this run's own feeds last; without them nothing is said about volume and freshness.
    """
    if run.trigger != "schedule":
        return ()
    return (*_about_the_result(run, previous), *_about_the_time(run), *_about_the_feeds(run, histories or {}))


def _about_the_result(run: AlertedRun, previous: Result | None) -> Iterator[Alert]:
    bad = [courier for courier in run.couriers if courier.result not in ("succeeded", "covered")]
    look = f"courier runs show {bad[0].run}" if bad else "courier status"
    if run.result in ("failed", "partial"):
        how = f"{len(bad)} of {len(run.couriers)} couriers did not commit"
        # What went wrong outside of any courier is told for the run.
        own = [] if bad else _fix(run.fix)
        said = how if bad else run.problem or "it could not be finished"
        yield _alert("failed", run, [f"failed: {said}", *own, *_explained(run)], look)
    elif run.result == "blocked":
        yield _alert("blocked", run, [f"blocked: {run.problem or 'a constraint did not hold'}", *_fix(run.fix)])
    elif run.result == "succeeded" and previous in _BAD:
        before = {"failed": "failed", "partial": "failed in part", "blocked": "was blocked"}[previous]
        yield _alert("recovered", run, [f"recovered: the run before this one {before}", *_explained(run)])


def _about_the_time(run: AlertedRun) -> Iterator[Alert]:
    took = run.until - run.started
    if run.alert_after is None or run.told_late or took <= run.alert_after:
        return
    verb = "has been running for" if run.result == "running" else "took"
    yield _alert("late", run, [f"late: it {verb} {words(took)}, longer than {words(run.alert_after)}"])


def _about_the_feeds(run: AlertedRun, histories: Histories) -> Iterator[Alert]:
    """One alert for all feeds of a courier that bring too much or too little, and one for all that bring nothing."""
    for courier in run.couriers:
        feeds = histories.get(courier.courier, {})
        judged = {feed: _counts(past) for feed, past in feeds.items() if past and past[-1].run == courier.run}
        look = f"courier runs show {courier.run}"
        if lines := [line for feed, counts in judged.items() for line in _volume(courier.courier, feed, counts)]:
            yield _alert("volume", run, lines, look)
        if lines := [line for feed, counts in judged.items() for line in _stale(courier.courier, feed, counts)]:
            yield _alert("stale", run, lines, look)


def _counts(past: Sequence[FeedRun]) -> list[Count]:
    """What each run brought: the news of its period, or, of a feed that is listed whole, all of its rows."""
    day = timedelta(days=1)
    return [Count(one.until, day, one.read) if one.whole else Count(one.until, one.length, one.fresh) for one in past]


def _volume(courier: str, feed: str, counts: Sequence[Count]) -> Iterator[str]:
    if found := unusual_volume(counts):
        told = f"{_rows(found.rows)} for {words(found.length)}, where about {found.usual:,} are usual"
        yield f"volume: {courier}.{feed}: {told}"


def _stale(courier: str, feed: str, counts: Sequence[Count]) -> Iterator[str]:
    if found := newly_stale(counts):
        told = f"no new row for {words(found.pause)}, since {rfc3339(found.since)}"
        yield f"stale: {courier}.{feed}: {told}; the longest pause before was {words(found.longest)}"


def _explained(run: AlertedRun) -> Iterator[str]:
    for courier in run.couriers:
        yield f"  {_summed_up(courier)}"
        if courier.problem:
            yield from _fix(courier.fix, "    ")


def _summed_up(courier: AlertedCourier) -> str:
    if courier.problem:
        return f"{courier.courier} {courier.result}: {courier.problem}"
    return f"{courier.courier} {courier.result}: {_rows(courier.read)} read, {courier.changed:,} changed"


def _fix(fix: str, indent: str = "  ") -> Iterator[str]:
    if fix:
        yield f"{indent}fix: {fix}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _alert(kind: AlertKind, run: AlertedRun, lines: Sequence[str], command: str = "courier status") -> Alert:
    return Alert(kind, run.group, run.run, "\n".join(lines), command)


def words(time: timedelta) -> str:
    """`2 hours 5 minutes`: the two largest units."""
    seconds = round(time.total_seconds())
    parts = (
        (seconds // 86400, "day"),
        (seconds // 3600 % 24, "hour"),
        (seconds // 60 % 60, "minute"),
        (seconds % 60, "second"),
    )
    said = [f"{count} {unit}" if count == 1 else f"{count} {unit}s" for count, unit in parts if count]
    return " ".join(said[:2]) or "less than a second"
