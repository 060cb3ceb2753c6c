"""Whole days of the account, over which Klaviyo counts: reports, series and aggregates. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from courier.clock import Interval

WINDOW = 30  # days that a report of values covers
LONGEST = 365  # days that Klaviyo counts at once, and how far back it is asked


@dataclass(frozen=True)
class Days:
    """From midnight to midnight in the account's time zone: [first, after)."""

    first: datetime
    after: datetime

    @property
    def last_second(self) -> datetime:
        """Both ends of a report's timeframe belong to it: it ends a second before the next day."""
        return self.after - timedelta(seconds=1)


def midnight(at: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """The midnight that begins the instant's day, or the one some days later, with its offset."""
    local = at.astimezone(zone)
    return datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=days)


def window(until: datetime, zone: ZoneInfo) -> Days:
    """The last 30 whole days before an instant."""
    return Days(midnight(until, zone, -WINDOW), midnight(until, zone))


def stretches(interval: Interval, until: datetime, zone: ZoneInfo) -> Iterator[Days]:
    """The last year's whole days, and a period's before those, at most a year at once; the day of its end is not over.

    Always a year: it is one request all the same, what comes late is put right, and a message that nobody met lately
    is told of every day.
    """
    after, first = midnight(until, zone), midnight(until, zone, -LONGEST)
    if interval.since and interval.since < first:
        first = midnight(interval.since, zone)
    while first < after:
        end = min(after, first + timedelta(days=LONGEST))
        yield Days(first, end)
        first = end


def wall(at: datetime) -> str:
    """A local time without its offset, which Klaviyo ignores."""
    return at.replace(tzinfo=None).isoformat()


def utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
