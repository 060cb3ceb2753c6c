"""When a courier group fires: cron in its time zone, as instants in UTC. Pure.

Fixed hours follow the clock on the wall: a time that a clock change skips fires at the first minute that exists, and
one that it repeats fires once, the first time. Hours written as `*` or `*/n` follow elapsed time: a skipped time fires
when it would have come without the change, a repeated one fires twice.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from courier.config.cron import follows_elapsed_time, local_times
from courier.config.project import CourierGroup
from courier.runtime.wall_clock import by_both_clocks, end_of_skip, wall_time

# No zone has ever moved its clocks by more than a day.
LARGEST_CHANGE = timedelta(hours=25)

Change = Literal["", "repeated", "skipped"]


class Fire(NamedTuple):
    """One fire. `change`: what a clock change did to the local time that the schedule means."""

    at: datetime
    change: Change
    local: datetime  # without a zone


def fires(group: CourierGroup, after: datetime) -> Iterator[datetime]:
    """The instants at which the group fires, later than `after`, without end. None for a group without a schedule."""
    return (fire.at for fire in explained_fires(group, after))


def explained_fires(group: CourierGroup, after: datetime) -> Iterator[Fire]:
    """The same, with what clock changes did to them."""
    if group.schedule is None:
        return
    zone = ZoneInfo(group.timezone)
    last = after
    for fire in _in_order(local_times(group.schedule, _start(after, zone)), zone, follows_elapsed_time(group.schedule)):
        if fire.at > last:
            last = fire.at
            yield fire


def next_fire(group: CourierGroup, after: datetime) -> datetime | None:
    """The first fire later than `after`, or None for a group that runs only by hand."""
    return next(fires(group, after), None)


def last_fire(group: CourierGroup, at: datetime, since: datetime) -> datetime | None:
    """The latest fire in (since, at], or None. Missed fires collapse into it."""
    # Backwards in growing steps: a year of minutes is half a million fires.
    back = timedelta(hours=1)
    while True:
        start = max(since, at - back) if at - since > back else since
        latest = None
        for instant in fires(group, start):
            if instant > at:
                break
            latest = instant
        if latest is not None or start == since:
            return latest
        back *= 2


def next_fires(group: CourierGroup, after: datetime, count: int) -> list[datetime]:
    return list(islice(fires(group, after), count))


def _start(after: datetime, zone: ZoneInfo) -> datetime:
    """The local time to begin with: earlier by a clock change nearby, for what comes before it may fire after it."""
    offsets = [
        (after + near).astimezone(zone).utcoffset() or timedelta(0)
        for near in (-LARGEST_CHANGE, timedelta(0), LARGEST_CHANGE)
    ]
    return wall_time(after, zone) - (max(offsets) - min(offsets))


def _in_order(local_times: Iterator[datetime], zone: ZoneInfo, elapsed: bool) -> Iterator[Fire]:
    """By instant: the second pass of a repeated hour comes after the whole first one. Nothing is dropped."""
    waiting: list[Fire] = []
    for local in local_times:
        before, after = by_both_clocks(local, zone)
        earliest = min(before, after)  # of all that are still to come
        while waiting and waiting[0].at < earliest:
            yield heapq.heappop(waiting)
        for fire in _fires_of(local, before, after, zone, elapsed):
            heapq.heappush(waiting, fire)
    yield from sorted(waiting)


def _fires_of(local: datetime, before: datetime, after: datetime, zone: ZoneInfo, elapsed: bool) -> list[Fire]:
    """A local time's fires; `before` and `after` are its instants by the clocks before and after a change."""
    if before == after:
        return [Fire(before, "", local)]
    if before < after:
        return [Fire(before, "", local), Fire(after, "", local)] if elapsed else [Fire(before, "repeated", local)]
    return [Fire(before if elapsed else end_of_skip(after, before, zone), "skipped", local)]
