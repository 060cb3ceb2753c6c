"""The rate limits of one account, shared by every process of this machine that calls it.

A flocked file holds, per operation, when the next request may go, how many the current minute still has, and how many
the day has had. Klaviyo's answers say when its minute ends (RateLimit-Reset), and a refusal when to come again
(Retry-After): what they say counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from courier import clock
from courier.connectors.held import held
from courier.connectors.klaviyo.endpoints import Limit

MINUTE, DAY = 60.0, 86_400.0
SAME = 2.0  # ends of one window that are told in whole seconds differ by so much


@dataclass
class Window:
    """`free` is when the next request may go, `left` how many may go until `until`; all in seconds since 1970."""

    free: float = 0.0
    left: int = 0
    until: float = 0.0
    day: int = 0
    today: int = 0

    def take(self, limit: Limit, now: float) -> float:
        """Take a request's place, and say how many seconds to wait before sending."""
        at = max(now, self.free)
        if at < self.until and self.left <= 0:
            at = self.until
        if at >= self.until:
            self.left, self.until = limit.steady, at + MINUTE
        self.left -= 1
        self.free = at + 1 / limit.burst
        self._count(int(at // DAY))
        return at - now

    def _count(self, day: int) -> None:
        self.today = self.today + 1 if day == self.day else 1
        self.day = day

    def spent(self, limit: Limit, now: float) -> bool:
        """Whether the day has had all of its requests."""
        return bool(limit.daily) and self.day == int(now // DAY) and self.today >= limit.daily

    def settle(self, left: int, seconds: float, now: float) -> None:
        """Klaviyo says that `left` more may go in the `seconds` until its window ends."""
        until = now + seconds
        if abs(until - self.until) > SAME:
            self.left, self.until = left, until
        else:
            self.left = min(self.left, left)

    def refused(self, seconds: float, now: float) -> None:
        """Klaviyo says that none may go for so long."""
        self.left, self.until = 0, now + seconds
        self.free = max(self.free, now + seconds)


class Budget:
    """One account's windows in a file that processes share. `key` names the account in the file's name."""

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"klaviyo-{key}.json"

    def take(self, name: str, limit: Limit) -> float | None:
        """The seconds to wait before sending a request that counts against `name`; None where the day has no more."""
        now = clock.now().timestamp()
        with held(self._path) as file:
            windows = _read(file.content)
            window = windows.setdefault(name, Window())
            if window.spent(limit, now):
                return None
            seconds = window.take(limit, now)
            file.content = _written(windows)
        return seconds

    def settle(self, name: str, left: int, seconds: float) -> None:
        self._change(name, lambda window, now: window.settle(left, seconds, now))

    def refused(self, name: str, seconds: float) -> None:
        self._change(name, lambda window, now: window.refused(seconds, now))

    def _change(self, name: str, change: Any) -> None:
        with held(self._path) as file:
            windows = _read(file.content)
            change(windows.setdefault(name, Window()), clock.now().timestamp())
            file.content = _written(windows)


def _written(windows: dict[str, Window]) -> bytes:
    return orjson.dumps({name: asdict(window) for name, window in windows.items()})


def _read(content: bytes) -> dict[str, Window]:
    """The windows, or none where the file is new or a kill left it half written."""
    try:
        return {name: Window(**values) for name, values in orjson.loads(content).items()}
    except (ValueError, TypeError, AttributeError):
        return {}
