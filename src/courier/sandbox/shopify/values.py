"""How Shopify writes its values: ids, instants, money."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

Node = dict[str, Any]

_DIGITS = re.compile(r"^gid://shopify/(\w+)/(\d+)(?:\?.*)?$")


class Lookup(Protocol):
    """Where a node finds the records that it refers to: as nodes, or None when gone or out of sight."""

    currency: str

    def order(self, identity: int | None) -> Node | None: ...
    def customer(self, identity: int | None) -> Node | None: ...
    def product(self, identity: int | None) -> Node | None: ...
    def variant(self, identity: int | None) -> Node | None: ...
    def location(self, identity: int | None) -> Node | None: ...


class Ref:
    """A field whose value is found only when it is asked for: records refer to each other in circles.

    `Ref(look, identity)` calls `look(identity)`. Refs of equal identity in one field are the same record, so that who
    reads many may look each up once; without an identity nothing is known about that.
    """

    __slots__ = ("identity", "look")

    def __init__(self, look: Callable[..., Any], *identity: int | None) -> None:
        self.look = look
        self.identity = identity

    def find(self) -> Any:
        return self.look(*self.identity)

    def __call__(self, info: object, **arguments: object) -> Any:
        return self.find()


def gid(kind: str, identity: int) -> str:
    return f"gid://shopify/{kind}/{identity}"


def parse_gid(text: str) -> tuple[str, int] | None:
    """`("Order", 42)` of `gid://shopify/Order/42?query=is-ignored`, or None."""
    found = _DIGITS.match(text)
    return (found.group(1), int(found.group(2))) if found else None


def instant(seconds: int) -> str:
    """`2026-11-20T06:30:00Z`: always UTC, always whole seconds."""
    day, second = divmod(seconds, 86_400)  # their texts are few: a tenth of the time of strftime
    return f"{_day(day)}T{_time(second)}Z"


@lru_cache(maxsize=65_536)
def _day(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=86_400)
def _time(second: int) -> str:
    return f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def instant_or_none(seconds: int | None) -> str | None:
    return None if seconds is None else instant(seconds)


@lru_cache(maxsize=65_536)
def decimal(cents: int) -> str:
    """Shopify's Decimal has no fixed scale: `11884.9`, `0.0`, `19.99`."""
    whole, rest = divmod(abs(cents), 100)
    text = f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"
    return text[:-1] if rest % 10 == 0 else text


def money(cents: int, currency: str) -> Node:
    return {"__typename": "MoneyV2", "amount": decimal(cents), "currencyCode": currency}


@lru_cache(maxsize=65_536)  # prices repeat; nobody changes a node's values
def bag(cents: int, currency: str) -> Node:
    own = money(cents, currency)  # the made-up shop charges every currency one to one
    return {"__typename": "MoneyBag", "shopMoney": own, "presentmentMoney": own}


def bag_or_none(cents: int | None, currency: str) -> Node | None:
    return None if cents is None else bag(cents, currency)


def weight(unit: str | None, value: float | None) -> Node | None:
    return None if unit is None else {"__typename": "Weight", "unit": unit, "value": value}
