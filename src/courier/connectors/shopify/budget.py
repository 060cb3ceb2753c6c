"""The leaky bucket of one store, shared by every process of this machine that calls it.

A flocked JSON file holds what the store last said of its bucket and what is under way. Each query takes its cost before
it is sent and waits until the bucket has refilled so far; the answer puts the store's own figures in.
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
from courier.connectors.held import held

# A query that was taken but never told of its answer (its process was killed) stops counting after this.
FORGOTTEN_AFTER_SECONDS = 120.0


@dataclass
class Bucket:
    """`available` points at the instant `at` (seconds since 1970); `under_way`: id -> (cost, when it was taken).

    `rate` is points per second; 0 while nothing is known of the store.
    """

    available: float = 0.0
    maximum: float = 0.0
    rate: float = 0.0
    at: float = 0.0
    under_way: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, key: str, cost: float, now: float) -> float:
        """Take `cost` and say how many seconds to wait before sending."""
        self._forget(now)
        left = self.free(now)
        self.under_way[key] = (cost, now)
        return max(0.0, (cost - left) / self.rate) if self.rate else 0.0

    def free(self, now: float) -> float:
        """What nobody has taken yet; below 0 where queries already wait for points to come."""
        refilled = min(self.maximum, self.available + self.rate * max(0.0, now - self.at))
        return refilled - sum(cost for cost, _ in self.under_way.values())

    def settle(self, key: str, status: ThrottleStatus | None, now: float) -> None:
        """The query is answered. `status` is the store's own account, None if it did not give one."""
        cost, _ = self.under_way.pop(key, (0.0, 0.0))
        if status is None:
            self.available = min(self.maximum, self.available + self.rate * max(0.0, now - self.at)) - cost
        else:
            self.available, self.maximum, self.rate = status.available, status.maximum, status.rate
        self.at = now

    def _forget(self, now: float) -> None:
        self.under_way = {
            key: (cost, since)
            for key, (cost, since) in self.under_way.items()
            if abs(now - since) < FORGOTTEN_AFTER_SECONDS
        }


@dataclass(frozen=True)
class ThrottleStatus:
    """`extensions.cost.throttleStatus`."""

    available: float
    maximum: float
    rate: float


class Budget:
    """One store's bucket in a file that processes share."""

    def __init__(self, folder: Path, store: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"shopify-{store}.json"
        self._numbers = count()

    def take(self, cost: float) -> tuple[str, float]:
        """A key for `settle`, and the seconds to wait before sending."""
        key = f"{os.getpid()}-{id(self):x}-{next(self._numbers)}"
        with self._held() as bucket:
            return key, bucket.take(key, cost, clock.now().timestamp())

    def settle(self, key: str, status: ThrottleStatus | None) -> None:
        with self._held() as bucket:
            bucket.settle(key, status, clock.now().timestamp())

    @property
    def maximum(self) -> float | None:
        """The bucket's size, once the store has said it."""
        with self._held() as bucket:
            return bucket.maximum or None

    @contextmanager
    def _held(self) -> Iterator[Bucket]:
        with held(self._path) as file:
            bucket = _read(file.content)
            yield bucket
            file.content = orjson.dumps(asdict(bucket))


def _read(content: bytes) -> Bucket:
    """The bucket, or an unknown one where the file is new or a kill left it half written."""
    try:
        values: Any = orjson.loads(content)
        under_way = {key: (float(cost), float(since)) for key, (cost, since) in values.pop("under_way").items()}
        return Bucket(**{name: float(value) for name, value in values.items()}, under_way=under_way)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Bucket()
