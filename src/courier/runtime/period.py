"""Which stretch of time a run is about. Pure: everything is half open, in UTC.

A run has a period, [P, S): from the watermark to the scheduled instant, so that consecutive periods tile. What it asks
the source for, its request, reaches back further, because sources show changes late and because an offset says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from courier.clock import Interval
from courier.errors import UsageError


@dataclass(frozen=True)
class ByHand:
    """A period that a person chose. `since` None: from the beginning. It is already clamped to the present."""

    period: Interval
    offset: bool = True  # apply the group's offset, as Amperity does


def next_period(watermark: datetime | None, scheduled: datetime) -> Interval | None:
    """[P, S), or None where S is already covered. Without a watermark the period begins at the beginning."""
    if watermark is not None and scheduled <= watermark:
        return None
    return Interval(watermark, scheduled)


def request_of(period: Interval, offset: timedelta, look_back: timedelta) -> Interval:
    """What to ask for: the period, begun earlier by the longer of offset and look-back.

    From the beginning means everything, also what changes while we read: then the request has no end either, so that
    absence proves a delete.
    """
    if period.since is None:
        return Interval(None, None)
    return Interval(period.since - max(offset, look_back), period.until)


def of_day(day: date, timezone: str, now: datetime) -> Interval:
    """A calendar day in a time zone: 23 or 25 hours where the clocks change."""
    zone = ZoneInfo(timezone)
    first = datetime.combine(day, time(), zone).astimezone(UTC)
    last = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return between(first, last, now)


def between(since: datetime, until: datetime | None, now: datetime) -> Interval:
    """[since, until), the future cut off. Raises UsageError where nothing is left, or the ends are swapped."""
    end = min(until or now, now)
    if until is not None and until <= since:
        raise UsageError(
            f"the period {Interval(since, until)} is empty: --until is not after --since",
            fix="--until is exclusive; give a later one, or swap the two",
        )
    if end <= since:
        raise UsageError(
            f"the period begins at {since:%Y-%m-%d %H:%M}Z, in the future",
            fix="give an earlier --since, or an earlier --day",
        )
    return Interval(since, end)


def everything(now: datetime) -> Interval:
    """From the beginning until now."""
    return Interval(None, now)


def parse_instant(written: str, timezone: str) -> datetime:
    """A date or an instant, as ISO 8601. Without an offset it is meant in the given time zone."""
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError as wrong:
        raise UsageError(
            f"{written!r} is neither a date nor an instant", fix="write 2026-11-20 or 2026-11-20T06:30:00Z"
        ) from wrong
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
