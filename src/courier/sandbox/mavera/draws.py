"""Made-up choices that depend on nothing but what they are made for: the same request always gets the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

Item = TypeVar("Item")


def number(low: int, high: int, *what: object) -> int:
    """A number from low to high, both included."""
    digest = sha256("\x1f".join(map(str, what)).encode("utf-8", "replace")).digest()
    return low + int.from_bytes(digest[:8], "big") % (high - low + 1)


def one(items: Sequence[Item], *what: object) -> Item:
    return items[number(0, len(items) - 1, *what)]


def some(items: Sequence[Item], most: int, *what: object) -> list[Item]:
    """Up to `most` of them, in their order, starting anywhere."""
    start = number(0, len(items) - 1, *what) if items else 0
    return [*items[start:], *items[:start]][:most]


def tokens(text: str) -> int:
    """About as many as a language model counts."""
    return len(text) // 4 + 1
