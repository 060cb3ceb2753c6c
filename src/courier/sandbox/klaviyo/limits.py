"""Fixed windows per account and operation: a second, a minute, and a day for reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, floor

from courier.sandbox.klaviyo.operations import Limit
from courier.sandbox.klaviyo.refusals import Refused

LENGTHS = (("burst", 1), ("steady", 60), ("daily", 86_400))


@dataclass
class Windows:
    """How much of each window is used: (key, name) -> (number of the window, requests)."""

    used: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def admit(self, key: str, limit: Limit, now: float) -> dict[str, str]:
        """Count a request and say what is left of the minute. Raises Refused (429), which says `Retry-After` alone."""
        wanted = {"burst": limit.burst, "steady": limit.steady, "daily": limit.daily}
        windows = [(name, length, wanted[name]) for name, length in LENGTHS if wanted[name]]
        for name, length, most in windows:
            if self._used(key, name, length, now) >= most:
                seconds = max(1, ceil((floor(now / length) + 1) * length - now))
                raise Refused(429, "throttled", "Request was throttled.", f"Expected available in {seconds} seconds.",
                              retry_after=seconds)  # fmt: skip
        for name, length, _ in windows:
            self.used[key, name] = floor(now / length), self._used(key, name, length, now) + 1
        left = limit.steady - self._used(key, "steady", 60, now)
        reset = ceil((floor(now / 60) + 1) * 60 - now)
        return {"RateLimit-Limit": f"{limit.burst}, {limit.burst};w=1, {limit.steady};w=60",
                "RateLimit-Remaining": str(left), "RateLimit-Reset": str(reset)}  # fmt: skip

    def _used(self, key: str, name: str, length: int, now: float) -> int:
        number, used = self.used.get((key, name), (-1, 0))
        return used if number == floor(now / length) else 0
