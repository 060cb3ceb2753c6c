"""How Shopify's REST API writes its values: two decimals, the shop's own time, tags in one text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from courier.sandbox.history.orders import GRAMS
from courier.sandbox.history.rows import Place

Json = dict[str, Any]

SHOP_ZONE = "America/New_York"
WEIGHT_UNITS = {"KILOGRAMS": "kg", "GRAMS": "g", "POUNDS": "lb", "OUNCES": "oz"}
_ZONE = ZoneInfo(SHOP_ZONE)


@lru_cache(maxsize=65_536)
def local(seconds: int) -> str:
    """`2026-11-20T01:30:00-05:00`."""
    return datetime.fromtimestamp(seconds, _ZONE).isoformat()


def local_or_none(seconds: int | None) -> str | None:
    return None if seconds is None else local(seconds)


def amount(cents: int) -> str:
    """Always two decimals: `19.90`."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def amount_or_none(cents: int | None) -> str | None:
    return None if cents is None else amount(cents)


def both(cents: int, currency: str, presentment: str) -> Json:
    """A money set. The made-up shop charges every currency one to one."""
    return {
        "shop_money": {"amount": amount(cents), "currency_code": currency},
        "presentment_money": {"amount": amount(cents), "currency_code": presentment},
    }


def one_text(tags: Sequence[str]) -> str:
    return ", ".join(tags)


def lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def grams(unit: str | None, value: float | None) -> int:
    """Half away from zero, as Shopify rounds."""
    return int(GRAMS[unit] * value + 0.5) if unit is not None and value is not None else 0


def gid(kind: str, identity: int) -> str:
    return f"gid://shopify/{kind}/{identity}"


def place(row: Place) -> Json:
    """The part that all kinds of addresses share."""
    return {
        "address1": row.address1,
        "address2": row.address2,
        "city": row.city,
        "zip": row.zip,
        "province": row.province,
        "province_code": row.province_code,
        "country_code": row.country_code,
    }
