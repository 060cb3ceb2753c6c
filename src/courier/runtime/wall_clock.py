"""What a time on the wall means, where clocks are put forward and back. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a local time: the first of two with that name, or the first minute after a skipped one."""
    before, after = by_both_clocks(local, zone)
    if before <= after:
        return before
    late, early = by_both_clocks(local.replace(second=0, microsecond=0), zone)
    return end_of_skip(early, late, zone)


def by_both_clocks(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Its instants by the clocks before and after a change.

    The same far from any change. The first is the earlier one for a repeated time, the later one for a skipped time.
    """
    return local.replace(tzinfo=zone).astimezone(UTC), local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def end_of_skip(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """The first minute after `early`, and not after `late`, whose clocks already go as they go at `late`."""
    there = late.astimezone(zone).utcoffset()
    while late - early > MINUTE:
        middle = early + (late - early) // (2 * MINUTE) * MINUTE
        if middle.astimezone(zone).utcoffset() == there:
            late = middle
        else:
            early = middle
    return late


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows, without a zone."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
