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
from courier.runtime.wall_clock import instant_of

# No shop is older, and arithmetic with offsets and time zones stays within what Python can count.
EARLIEST, LATEST = datetime(1899, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


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
    return Interval(_earlier(period.since, max(offset, look_back)), period.until)


def _earlier(instant: datetime, by: timedelta) -> datetime:
    return instant - min(by, instant - EARLIEST)


def of_day(day: date, timezone: str, now: datetime) -> Interval:
    """A calendar day in a time zone: 23 or 25 hours where the clocks change."""
    zone = ZoneInfo(timezone)
    midnight = datetime.combine(day, time())
    _check_years(midnight, str(day))
    first, last = instant_of(midnight, zone), instant_of(midnight + timedelta(days=1), zone)
    if first == last:
        raise UsageError(f"there was no {day} in {timezone}: the clocks skipped it", fix="give another --day")
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
    """A date or an instant, as ISO 8601. Without an offset it is meant in the given time zone.

    A local time that happens twice is the first one; one that a clock change skips is the first minute that exists.
    """
    try:
        parsed = datetime.fromisoformat(written)
    except ValueError as wrong:
        raise UsageError(
            f"{written!r} is neither a date nor an instant", fix="write 2026-11-20 or 2026-11-20T06:30:00Z"
        ) from wrong
    _check_years(parsed, written)
    return parsed.astimezone(UTC) if parsed.tzinfo else instant_of(parsed, ZoneInfo(timezone))


def _check_years(moment: datetime, written: str) -> None:
    if not EARLIEST.year < moment.year < LATEST.year:
        raise UsageError(
            f"{written} lies outside of the years {EARLIEST.year + 1} to {LATEST.year - 1}",
            fix="--all means everything, from the beginning",
        )
