"""The leaky bucket of query points that every app and shop has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from courier.sandbox.shopify.values import Node

SINGLE_QUERY_LIMIT = 1_000


@dataclass
class Bucket:
    """`size` points at most, refilled by `rate` points a second (the numbers of Shopify Plus)."""

    size: float = 20_000
    rate: float = 1_000
    available: float | None = None
    at: datetime | None = None

    def refill(self, now: datetime) -> float:
        """Points there are at `now`. A clock that went back refills nothing."""
        if self.available is None or self.at is None:
            self.available = self.size
        else:
            self.available = min(self.size, self.available + self.rate * max(0.0, (now - self.at).total_seconds()))
        self.at = now
        return self.available

    def take(self, points: float, now: datetime) -> bool:
        """Take them, or none at all."""
        if self.refill(now) < points:
            return False
        self.available = (self.available or 0) - points
        return True

    def give_back(self, points: float) -> None:
        self.available = min(self.size, (self.available or 0) + points)

    def status(self) -> Node:
        return {
            "maximumAvailable": float(self.size),
            "currentlyAvailable": int(self.available or 0),
            "restoreRate": float(self.rate),
        }
