"""The store's quota: so many requests in a window of time, for all apps together, told in four headers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Quota:
    """`begun` is when the window began, in seconds since 1970; `left` may shrink faster than we ask: others ask too."""

    size: int
    window_ms: int
    begun: float = 0.0
    left: int = 0

    def take(self, now: float, others: int = 0) -> bool:
        """Count one request, and those of other apps; False where nothing is left of the window."""
        if (now - self.begun) * 1000 >= self.window_ms:
            self.begun, self.left = now, self.size
        if self.left <= 0:
            return False
        self.left = max(0, self.left - 1 - others)
        return True

    def headers(self, now: float) -> dict[str, str]:
        reset = max(0, round(self.window_ms - (now - self.begun) * 1000))
        return {
            "X-Rate-Limit-Time-Window-Ms": str(self.window_ms),
            "X-Rate-Limit-Time-Reset-Ms": str(reset),
            "X-Rate-Limit-Requests-Quota": str(self.size),
            "X-Rate-Limit-Requests-Left": str(self.left),
        }
