"""REST lists: filters, order, and pages whose cursors travel in the Link header."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from courier.sandbox.shopify.paging import Key

MOST = 250
USUAL = 50
WITH_PAGE_INFO = frozenset({"page_info", "limit", "fields"})

Row = Any
Parameters = Mapping[str, str]


class Refused(Exception):
    """A request that cannot be answered: `errors` as Shopify says them, with `status`."""

    def __init__(self, status: int, errors: object) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the cursors of the pages around them."""

    rows: Sequence[Row]
    before: Parameters | None
    after: Parameters | None


def limit_of(asked: Parameters) -> int:
    """Between 1 and 250; a larger one is cut down, as Shopify does."""
    text = asked.get("limit", str(USUAL))
    if not text.isdigit() or int(text) < 1:
        raise Refused(400, {"limit": "must be a number from 1 to 250"})
    return min(MOST, int(text))


def unpacked(asked: Parameters) -> tuple[Parameters, Mapping[str, Any] | None]:
    """What the list is of, and where its page begins: with page_info, both are in there and nowhere else."""
    if "page_info" not in asked:
        return asked, None
    others = sorted(set(asked) - WITH_PAGE_INFO)
    if others:
        raise Refused(400, {"page_info": f"cannot be sent with {', '.join(others)}"})
    try:
        found = orjson.loads(base64.urlsafe_b64decode(asked["page_info"]))
        cursor = {"key": (int(found["key"][0]), int(found["key"][1])), "to": str(found["to"])}
        return {**found["of"], **asked}, cursor
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise Refused(400, {"page_info": "Invalid value."}) from error


def packed(of: Parameters, key: Key, to: str) -> str:
    kept = {name: value for name, value in of.items() if name not in WITH_PAGE_INFO}
    return base64.urlsafe_b64encode(orjson.dumps({"of": kept, "key": key, "to": to})).decode()


def accepts(asked: Parameters, times: Mapping[str, Callable[[Row], int | None]]) -> Callable[[Row], bool]:
    """A predicate of the parameters `<time>_min` and `<time>_max`, both inclusive."""
    tests: list[tuple[Callable[[Row], int | None], int, int]] = []
    for name, read in times.items():
        low, high = (_seconds(asked, f"{name}_{end}") for end in ("min", "max"))
        if low is not None or high is not None:
            tests.append((read, low if low is not None else 0, high if high is not None else 1 << 62))
    return lambda row: all((value := read(row)) is not None and low <= value <= high for read, low, high in tests)


def _seconds(asked: Parameters, name: str) -> int | None:
    text = asked.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except ValueError as error:
        raise Refused(400, {name: "is not a valid date"}) from error
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def page(
    keys: Sequence[Key], rows: Sequence[Row], of: Parameters, cursor: Mapping[str, Any] | None, falling: bool
) -> Page:
    """The page at a cursor. `keys` ascend with `rows` beside them; `falling` reads both from their end."""
    size = limit_of(of)
    low, high = _bounds(keys, cursor, size, falling)
    chosen = rows[low:high]
    after, before = (low > 0, high < len(keys)) if falling else (high < len(keys), low > 0)
    first, last = (high - 1, low) if falling else (low, high - 1)
    return Page(
        chosen[::-1] if falling else chosen,
        {"page_info": packed(of, keys[first], "previous")} if before and chosen else None,
        {"page_info": packed(of, keys[last], "next")} if after and chosen else None,
    )


def _bounds(keys: Sequence[Key], cursor: Mapping[str, Any] | None, size: int, falling: bool) -> tuple[int, int]:
    if cursor is None:
        return (max(0, len(keys) - size), len(keys)) if falling else (0, min(size, len(keys)))
    if (cursor["to"] == "next") != falling:
        low = bisect_right(keys, cursor["key"])
        return low, min(len(keys), low + size)
    high = bisect_left(keys, cursor["key"])
    return max(0, high - size), high


def link(url: str, of: Parameters, found: Page) -> str:
    """The Link header's value: `<url?...>; rel="previous", <url?...>; rel="next"`, each only where there is one."""
    kept = {name: of[name] for name in ("limit", "fields") if name in of}
    parts = (("previous", found.before), ("next", found.after))
    return ", ".join(f'<{url}?{urlencode({**kept, **at})}>; rel="{name}"' for name, at in parts if at is not None)
