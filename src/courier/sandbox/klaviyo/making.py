"""What the tables of the account are made with: ids, times, JSON, and dice that belong to one record alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from courier.sandbox.history.options import Roll, roll_for
from courier.sandbox.history.rows import History

ZONE = ZoneInfo("America/New_York")  # which changes its clocks
FIRST_CUSTOMER = 6_100_000_000_000


def json_text(value: Any) -> str:
    """As every column of JSON holds it: without spaces, keys in order."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def number_of(customer_id: int) -> int:
    return (customer_id - FIRST_CUSTOMER) // 32_768


def profile_id(customer_id: int) -> str:
    """Ids grow with time, as Klaviyo's do."""
    return f"01SANDBOX{number_of(customer_id):017d}"


def dice(history: History, kind: str, index: int) -> Roll:
    assert history.options is not None
    return roll_for(history.options.seed, kind, index)


def iso(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def latest(history: History) -> int:
    """The instant of the last change; the anchor before any."""
    return max([history.anchor, *(change.at for change in history.checkout_changes)])


def instants(history: History) -> list[int]:
    """When the account was looked at: at the anchor, and after each change."""
    return [history.anchor, *(change.at for change in history.checkout_changes)]


def day_of(seconds: int, days: int = 0) -> int:
    """The first second of its day in the account's time zone, or of one some days later."""
    local = datetime.fromtimestamp(seconds, ZONE)
    midnight = datetime(local.year, local.month, local.day) + timedelta(days=days)
    return int(midnight.replace(tzinfo=ZONE).timestamp())
