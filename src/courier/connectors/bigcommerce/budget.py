"""The quota of one store, shared by every process of this machine that calls it.

The quota is the store's, for all apps together, so that what is left may shrink while we wait: what counts is the last
answer's headers, never a constant. A flocked JSON file holds what they said and what is under way.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from courier import clock
from courier.connectors.bigcommerce.answers import Quota
from courier.connectors.held import held

# A request that was taken but never told of its answer (its process was killed) stops counting after this.
FORGOTTEN_AFTER_SECONDS = 120.0
# The next window is a little late rather than early: its end is told in milliseconds of another clock.
MARGIN_SECONDS = 0.25


@dataclass
class Window:
    """`left` requests until the instant `ends` (seconds since 1970); None while nothing is known of the store."""

    left: int | None = None
    ends: float = 0.0
    under_way: dict[str, float] = field(default_factory=dict)

    def take(self, key: str, now: float) -> float:
        """Take one request and say how many seconds to wait before sending it."""
        self.under_way = {
            other: since for other, since in self.under_way.items() if abs(now - since) < FORGOTTEN_AFTER_SECONDS
        }
        wait = 0.0
        if self.left is not None and now < self.ends and self.left <= len(self.under_way):
            wait = self.ends - now + MARGIN_SECONDS
        self.under_way[key] = now
        return wait

    def settle(self, key: str, told: Quota | None, now: float) -> None:
        """The request is answered. `told` is the store's own account, None if it did not give one."""
        self.under_way.pop(key, None)
        if told is not None:
            self.left, self.ends = told.left, now + told.seconds


class Budget:
    """One store's window in a file that processes share."""

    def __init__(self, folder: Path, store: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"bigcommerce-{store}.json"
        self._numbers = count()

    def take(self) -> tuple[str, float]:
        """A key for `settle`, and the seconds to wait before sending."""
        key = f"{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        with self._held() as window:
            return key, window.take(key, clock.now().timestamp())

    def settle(self, key: str, told: Quota | None) -> None:
        with self._held() as window:
            window.settle(key, told, clock.now().timestamp())

    @contextmanager
    def _held(self) -> Iterator[Window]:
        with held(self._path) as file:
            window = _read(file.content)
            yield window
            file.content = orjson.dumps(asdict(window))


def _read(content: bytes) -> Window:
    """The window, or an unknown one where the file is new or a kill left it half written."""
    try:
        values: Any = orjson.loads(content)
        left = values["left"]
        under_way = {str(key): float(since) for key, since in values["under_way"].items()}
        return Window(None if left is None else int(left), float(values["ends"]), under_way)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Window()
