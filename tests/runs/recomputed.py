"""What a history of scheduled runs must have been like, recomputed from the YAML and the rows of the history alone.

It shares no code with what decides, plans and fires: fires are found minute by minute (tests.runtime.slow_clock), and
the rest is a few comparisons of instants. Everything is half open, in UTC.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import yaml

from tests.runtime.slow_clock import slow_fires

Span = tuple[datetime, datetime]
Open = tuple[datetime | None, datetime | None]
NOTHING = timedelta(0)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
FINAL = frozenset({"succeeded", "failed", "partial", "blocked", "covered"})
RAN = frozenset({"succeeded", "failed", "partial", "killed"})
MOST_KILLS = 5  # of one fire's runs; then it is given up


@dataclass(frozen=True)
class GroupRun:
    """A row of group_run."""

    run: str
    group: str
    scheduled: datetime
    trigger: str
    started: datetime
    ended: datetime
    result: str
    committed: bool


@dataclass(frozen=True)
class CourierRun:
    """A row of run; `group` is None where somebody ran the courier alone."""

    run: str
    courier: str
    group: str | None
    scheduled: datetime
    started: datetime
    ended: datetime
    result: str


@dataclass(frozen=True)
class FeedRun:
    """What one committed run brought of a feed: a row of the ledger's feed_run."""

    run: str
    courier: str
    feed: str
    period: Open
    request: Open


@dataclass(frozen=True)
class Account:
    """What happened.

    versions: from when on which text of courier_groups.yaml was in force, the first from the beginning
    down:     when no scheduler was there; away: when the source was not
    until:    fires up to here must have been dealt with
    slack:    how late the scheduler may look
    retries:  how long a run may take to notice that the source is back
    """

    versions: Sequence[tuple[datetime, str]]
    group_runs: Sequence[GroupRun]
    courier_runs: Sequence[CourierRun]
    feed_runs: Sequence[FeedRun]
    coverage: Mapping[tuple[str, str], Sequence[Open]]
    down: Sequence[Span]
    away: Sequence[Span]
    until: datetime
    slack: timedelta
    retries: timedelta


Fires = Callable[[str, str, datetime, datetime], list[datetime]]


def wrong_with(account: Account, fires: Fires = slow_fires) -> list[str]:
    """Everything that must not have happened, in words; none if all is as it must be."""
    book = _Book(account, fires)
    checks = (_fires_wrong, _constraints_wrong, _covered_wrong, _waits_wrong, _periods_wrong)
    return [line for check in checks for line in check(book)]


# What the YAML says


def length(written: str | None) -> timedelta:
    """`1h30m` and the like."""
    found = re.findall(r"(\d+)\s*([smhdw])", str(written or ""))
    return timedelta(seconds=sum(int(number) * UNITS[unit] for number, unit in found))


@dataclass(frozen=True)
class Version:
    """A group as it was written, in force in (since, until]."""

    since: datetime
    until: datetime
    cron: str
    zone: str
    couriers: Mapping[str, Mapping[str, Any]]
    constraints: Sequence[Mapping[str, Any]]


def versions_of(account: Account) -> dict[str, list[Version]]:
    """Group -> its versions that fire, in order of time."""
    found: defaultdict[str, list[Version]] = defaultdict(list)
    ends = [*(since for since, _ in account.versions[1:]), account.until]
    for (since, text), until in zip(account.versions, ends, strict=True):
        for name, body in (yaml.load(text, Loader=yaml.CSafeLoader) or {}).items():
            if body.get("schedule") and body.get("enabled", True):
                couriers = {courier: more or {} for courier, more in body["couriers"].items()}
                zone, constraints = body.get("timezone", "UTC"), body.get("constraints", ())
                found[name].append(Version(since, until, body["schedule"], zone, couriers, constraints))
    return found


# What the history says


class _Book:
    """The account with its rows in the order in which they are asked for."""

    def __init__(self, account: Account, fires: Fires) -> None:
        self.account, self.versions = account, versions_of(account)
        self.by_group: defaultdict[str, list[GroupRun]] = defaultdict(list)
        for row in account.group_runs:
            self.by_group[row.group].append(row)
        self.good = {name: _Good(rows) for name, rows in self.by_group.items()}
        self.fires = {name: self._fires_of(versions, fires) for name, versions in self.versions.items()}

    def _fires_of(self, versions: Sequence[Version], fires: Fires) -> list[tuple[datetime, Version]]:
        return [(at, one) for one in versions for at in fires(one.cron, one.zone, one.since, one.until)]

    def version_at(self, group: str, instant: datetime) -> Version | None:
        """The latest that was in force at the instant, or before."""
        known = [one for one in self.versions.get(group, ()) if one.since <= instant]
        return known[-1] if known else None

    def good_of(self, group: str) -> _Good:
        return self.good.get(group) or _Good(())


@dataclass(init=False)
class _Good:
    """The committed runs of a group."""

    scheduled: list[datetime] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)

    def __init__(self, rows: Sequence[GroupRun]) -> None:
        found = sorted((row.scheduled, row.ended) for row in rows if row.committed)
        self.scheduled, self.ended = [at for at, _ in found], [ended for _, ended in found]

    def ended_by(self, first: datetime, last: datetime | None, end: datetime) -> bool:
        """Whether one of those scheduled in [first, last] had ended by then."""
        stop = len(self.scheduled) if last is None else bisect_right(self.scheduled, last)
        return any(ended <= end for ended in self.ended[bisect_left(self.scheduled, first) : stop])


# Fires


def _fires_wrong(book: _Book) -> Iterator[str]:
    for group in sorted({*book.versions, *book.by_group}):
        dealt: defaultdict[datetime, list[GroupRun]] = defaultdict(list)
        for row in book.by_group[group]:
            if row.trigger == "schedule":
                dealt[row.scheduled].append(row)
        fires = book.fires.get(group, [])
        judged = {at: rows for at, rows in dealt.items() if at <= book.account.until}
        yield from _made_up(group, judged, {at for at, _ in fires})
        yield from _twice(group, dealt)
        yield from _lost(book.account, group, fires, dealt)


def _made_up(group: str, dealt: Mapping[datetime, Sequence[GroupRun]], fires: set[datetime]) -> Iterator[str]:
    for scheduled, rows in dealt.items():
        if scheduled not in fires:
            yield f"{group}: no schedule fires at {scheduled}"
        for row in rows:
            if row.started < scheduled:
                yield f"{group}: {row.run} began before its fire at {scheduled}"


def _twice(group: str, dealt: Mapping[datetime, Sequence[GroupRun]]) -> Iterator[str]:
    for scheduled, rows in dealt.items():
        final = [row for row in rows if row.result in FINAL]
        if len(final) > 1:
            yield f"{group}: the fire at {scheduled} was dealt with {len(final)} times"
        if not final and len(rows) < MOST_KILLS:
            yield f"{group}: the fire at {scheduled} was left after {[row.result for row in rows]}"
        if final and any(row.started > final[0].ended for row in rows):
            yield f"{group}: the fire at {scheduled} was run again after its end"
    for before, after in pairwise(
        sorted((row for rows in dealt.values() for row in rows), key=lambda row: row.started)
    ):
        if after.started < before.ended or after.scheduled < before.scheduled:
            yield f"{group}: {after.run} ran into {before.run}"


def _lost(
    account: Account,
    group: str,
    fires: Sequence[tuple[datetime, Version]],
    dealt: Mapping[datetime, Sequence[GroupRun]],
) -> Iterator[str]:
    """A fire without a run must have been overtaken by the next one before anybody could deal with it."""
    busy_until: datetime | None = None
    following = [*(at for at, _ in fires[1:]), None]
    for (fire, version), after in zip(fires, following, strict=True):
        if fire in dealt:
            busy_until = max(row.ended for row in dealt[fire])
            continue
        free, was_down = _free_at(account, fire, busy_until)
        overtaken = after is not None and after <= free + account.slack
        given_up = was_down and version.until <= free + account.slack  # its schedule changed meanwhile
        if not (overtaken or given_up or free + account.slack >= account.until):
            yield f"{group}: the fire at {fire} was lost"


def _free_at(account: Account, fire: datetime, busy_until: datetime | None) -> tuple[datetime, bool]:
    """When the group's fire could first be dealt with, and whether no scheduler was there meanwhile."""
    free, was_down = max(fire, busy_until or fire), False
    for since, until in account.down:
        # At the very instant of its return a scheduler already goes by the files as they are then.
        if since <= free <= until or since <= fire <= until:
            free, was_down = max(free, until), True
    return free, was_down


# Constraints


def _constraints_wrong(book: _Book) -> Iterator[str]:
    for row in book.account.group_runs:
        if row.trigger != "schedule" or row.result not in RAN | {"blocked"}:
            continue
        version = book.version_at(row.group, row.started)
        unmet = [one for one in (version.constraints if version else ()) if not _held(book, row, one)]
        if row.result == "blocked" and not unmet:
            yield f"{row.group}: {row.run} was blocked, though what it waited for had come"
        if row.result == "blocked" and row.ended <= row.scheduled + _shortest(unmet):
            yield f"{row.group}: {row.run} was blocked before its time"
        if row.result != "blocked" and unmet:
            yield f"{row.group}: {row.run} ran without a run of {unmet[0]['group']}"


def _shortest(constraints: Sequence[Mapping[str, Any]]) -> timedelta:
    return min((length(one.get("wait")) for one in constraints), default=NOTHING)


def _held(book: _Book, row: GroupRun, constraint: Mapping[str, Any]) -> bool:
    first = row.scheduled - length(constraint.get("offset"))
    last = row.scheduled + length(constraint.get("wait"))
    moment = timedelta(microseconds=1) if row.result == "blocked" else NOTHING  # at the same instant is too late
    return book.good_of(constraint["group"]).ended_by(first, last, row.started - moment)


def _covered_wrong(book: _Book) -> Iterator[str]:
    for row in book.account.group_runs:
        if row.result == "covered" and not book.good_of(row.group).ended_by(row.scheduled, None, row.ended):
            yield f"{row.group}: {row.run} was not covered by anything"


# Waits


def _waits_wrong(book: _Book) -> Iterator[str]:
    """A run may fail only because of a source that stayed away for longer than it is waited for."""
    for run in book.account.courier_runs:
        if run.result != "failed":
            continue
        version = book.version_at(run.group, run.started) if run.group else None
        wait = length(version.couriers[run.courier].get("wait")) if version else NOTHING
        patience = run.scheduled + wait - book.account.retries
        met = [away for away in book.account.away if away[0] < run.ended and away[1] > run.started]
        if not any(away[1] > patience for away in met):
            yield f"{run.courier}: {run.run} failed, though its source was there in time"


# Periods


def _periods_wrong(book: _Book) -> Iterator[str]:
    runs = {run.run: run for run in book.account.courier_runs}
    by_feed: defaultdict[tuple[str, str], list[FeedRun]] = defaultdict(list)
    for one in book.account.feed_runs:
        by_feed[one.courier, one.feed].append(one)
        yield from _request_wrong(book, one, runs.get(one.run))
    for feed in sorted({*by_feed, *book.account.coverage}):
        yield from _untiled(".".join(feed), by_feed[feed], book.account.coverage.get(feed, ()))


def _request_wrong(book: _Book, one: FeedRun, run: CourierRun | None) -> Iterator[str]:
    named = f"{one.courier}.{one.feed}: {one.run}"
    if run is None:
        yield f"{named} is not in the history"
        return
    if run.group and one.period[1] != run.scheduled:
        yield f"{named} loaded up to {one.period[1]}, not to its instant {run.scheduled}"
    version = book.version_at(run.group, run.started) if run.group else None
    offset = length(version.couriers[run.courier].get("offset")) if version else NOTHING
    (since, until), (first, last) = one.period, one.request
    if first is not None and (since is None or first > since - offset):
        yield f"{named} asked for too little: from {first}"
    if last is not None and (until is None or last < until):
        yield f"{named} asked for too little: until {last}"


def _untiled(feed: str, rows: Sequence[FeedRun], coverage: Sequence[Open]) -> Iterator[str]:
    """From the beginning on, each period must begin where the one before ended."""
    reached: datetime | None = None
    for row in sorted(rows, key=lambda row: row.period[1].timestamp() if row.period[1] else 0):
        since, until = row.period
        if since != reached:
            what = "doubled" if reached and (since is None or since < reached) else "lost"
            yield f"{feed}: {row.run} begins at {since}, {reached} was reached: a period is {what}"
        if until is None or (since is not None and until <= since):
            yield f"{feed}: {row.run} has no period"
        reached = until
    if list(coverage) != [(None, reached)]:
        yield f"{feed}: the ledger says {coverage}, the runs say up to {reached}"
