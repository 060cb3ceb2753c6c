"""How BigCommerce writes what the history knows: V2 texts and RFC-2822 dates, V3 numbers and RFC-3339 dates."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

Node = dict[str, Any]


def money_text(cents: int) -> str:
    """1234 -> "12.3400", as V2 does."""
    sign, whole = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{whole // 100}.{whole % 100:02}00"


def number(cents: int | None) -> float | None:
    """1234 -> 12.34, as V3 does."""
    return None if cents is None else cents / 100


def rfc2822(seconds: int) -> str:
    """`Tue, 20 Nov 2012 00:00:00 +0000`."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC))


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def offset_date(seconds: int) -> str:
    """As the catalogue writes it: `2018-08-15T14:48:46+00:00`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def parse_date(text: str) -> float:
    """Seconds since 1970 of an RFC-3339 or RFC-2822 date. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = parsedate_to_datetime(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
