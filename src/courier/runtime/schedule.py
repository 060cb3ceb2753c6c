"""When a courier group fires: cron in its time zone, as instants in UTC.

A local time that a clock change skips fires at the first minute that exists. A fixed hour that a clock change repeats
fires once, the first time; `*` and `*/n` hours follow elapsed time and fire in both.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from courier.config.cron import local_times
from courier.config.project import CourierGroup


def fires(group: CourierGroup, after: datetime) -> Iterator[datetime]:
    """The instants at which the group fires, later than `after`, without end. None for a group without a schedule."""
    if group.schedule is None:
        return
    zone = ZoneInfo(group.timezone)
    start = after.astimezone(zone).replace(tzinfo=None) - timedelta(hours=3)
    last = after
    for instant in _in_order(local_times(group.schedule, start), zone, both=group.schedule.split()[1].startswith("*")):
        if instant > last:
            last = instant
            yield instant


def _in_order(local_times: Iterator[datetime], zone: ZoneInfo, *, both: bool) -> Iterator[datetime]:
    """Instants in order: in an hour that happens twice, its second pass comes after the whole first one."""
    waiting: list[datetime] = []
    for local in local_times:
        instants = _instants(local, zone, both=both)
        while waiting and waiting[0] < instants[0]:
            yield heapq.heappop(waiting)
        for instant in instants:
            heapq.heappush(waiting, instant)


def next_fire(group: CourierGroup, after: datetime) -> datetime | None:
    """The first fire later than `after`, or None for a group that runs only by hand."""
    return next(fires(group, after), None)


def last_fire(group: CourierGroup, at: datetime, since: datetime) -> datetime | None:
    """The latest fire in (since, at], or None. Missed fires collapse into it."""
    latest = None
    for instant in fires(group, since):
        if instant > at:
            break
        latest = instant
    return latest


def next_fires(group: CourierGroup, after: datetime, count: int) -> list[datetime]:
    return list(islice(fires(group, after), count))


def _instants(local: datetime, zone: ZoneInfo, *, both: bool) -> list[datetime]:
    first = local.replace(tzinfo=zone, fold=0)
    second = local.replace(tzinfo=zone, fold=1)
    if not _exists(first):
        return [_first_minute_after(local, zone)]
    instants = [first.astimezone(UTC)]
    if both and first.utcoffset() != second.utcoffset():
        instants.append(second.astimezone(UTC))
    return instants


def _exists(moment: datetime) -> bool:
    there_and_back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _first_minute_after(local: datetime, zone: ZoneInfo) -> datetime:
    """The end of the gap that `local` falls into: gaps are whole minutes, and shorter than a day."""
    for minutes in range(1, 24 * 60):
        candidate = (local + timedelta(minutes=minutes)).replace(tzinfo=zone)
        if _exists(candidate):
            return candidate.astimezone(UTC)
    raise AssertionError(f"no local time exists within a day after {local} in {zone.key}")
