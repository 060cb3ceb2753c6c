"""Requests a minute, by a sliding window of 60 seconds per key, and how much may go on at once.

Documented: the window, the three headers, `Retry-After` in seconds, 10 chats and 5 focus groups at once. Inferred:
requests that are refused for the limit do not count against it, and that too many at once is answered with 429 as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from courier.sandbox.mavera.account import Account
from courier.sandbox.mavera.refusals import too_many

SECONDS = 60
CHATS, FOCUS_GROUPS = 10, 5


@dataclass(frozen=True)
class Room:
    """What is left of the minute. reset: the Unix second at which the oldest request leaves it."""

    limit: int
    remaining: int
    reset: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


def room(account: Account) -> Room:
    now, limit = account.now(), account.settings.requests_per_minute
    seen = account.store.admitted(now - timedelta(seconds=SECONDS), now)
    waiting = seen[-limit] if len(seen) >= limit else seen[0] if seen else now.timestamp()
    leaves = waiting + SECONDS
    return Room(limit, max(0, limit - len(seen)), ceil(leaves), max(1, ceil(leaves - now.timestamp())))


def admit(account: Account, number: int) -> None:
    """Count a received request, or raise Refused (429)."""
    with account.store.transaction():
        left = room(account)
        if left.remaining < 1:
            raise too_many(left.retry_after)
        account.store.admit(number)


class Chats:
    """How many chats are being answered."""

    def __init__(self) -> None:
        self._running = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Raises Refused (429) when there are as many as may be."""
        if self._running >= CHATS:
            raise too_many(1, f"At most {CHATS} chats at once")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
