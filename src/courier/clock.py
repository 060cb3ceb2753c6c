"""Time as the rest of courier sees it: the one thing that tests replace."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, in UTC, with microseconds."""
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    """Wait. Every wait in courier (rate limits, retries, polling) comes through here."""
    if seconds > 0:
        time.sleep(seconds)


def rfc3339(instant: datetime) -> str:
    """`2026-11-20T06:30:00Z`, with microseconds only when there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Interval:
    """Half open, in UTC: [since, until). None is unbounded on that side."""

    since: datetime | None
    until: datetime | None

    def __str__(self) -> str:
        first = rfc3339(self.since) if self.since else "the beginning"
        last = rfc3339(self.until) if self.until else "now"
        return f"[{first}, {last})"
