"""What decides the made-up history: the same options and anchor always give the same data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

DAY = 86_400
YEARS = 2
SPAN = YEARS * 365 * DAY

Item = TypeVar("Item")
Roll = Callable[[], float]


@dataclass(frozen=True)
class Options:
    """Sizes and the seed. `special` adds the rare cases: an order of 300 lines, a product of 130 variants."""

    seed: int = 20_261_120
    customers: int = 500
    orders: int = 1_500
    products: int = 60
    currency: str = "USD"
    special: bool = True


def roll_for(seed: int, kind: str, index: int) -> Roll:
    """A source of numbers in [0, 1) that belongs to one record alone, so that any record can be made by itself."""
    # An int seeds in 6 us, a str in 12 us (it is hashed with sha512): a million orders notice.
    salt = sum(ord(letter) << (8 * place) for place, letter in enumerate(kind[:4]))
    return Random((seed << 80) ^ (salt << 48) ^ index).random


def pick(roll: Roll, pool: Sequence[Item]) -> Item:
    return pool[int(roll() * len(pool))]


def maybe(roll: Roll, chance: float, value: Item) -> Item | None:
    """`value` as often as `chance` says, else None."""
    return value if roll() < chance else None


def some_tags(roll: Roll, pool: Sequence[str], most: int) -> tuple[str, ...]:
    """Up to `most` tags, none at all about as often as each other count. Tags differ by more than their case."""
    wanted = int(roll() * (most + 1))
    return tuple({tag.lower(): tag for tag in (pick(roll, pool) for _ in range(wanted))}.values())
