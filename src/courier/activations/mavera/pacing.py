"""How fast Mavera may be asked, from what its last answer said of the limit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SPAN_SECONDS = 60.0
FEW = 10
"""Below this many requests left, the rest is spread over the time left: the documented way."""


@dataclass(frozen=True)
class Pace:
    """Of one key: requests in 60 s, how many of them are left, and when (seconds since 1970) they all are back."""

    limit: int
    remaining: int
    reset: float

    def pause(self, now: datetime) -> float:
        """Seconds to wait before the next request."""
        left = min(SPAN_SECONDS, max(0.0, self.reset - now.timestamp()))
        return left / (self.remaining + 1) if self.remaining < min(FEW, self.limit) else 0.0


def pace(headers: Mapping[str, str]) -> Pace | None:
    """What the headers of an answer say; None where they do not, or not in numbers."""
    try:
        limit, remaining, reset = (headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset"))
        return Pace(int(limit), int(remaining), float(reset))
    except (KeyError, ValueError):
        return None
