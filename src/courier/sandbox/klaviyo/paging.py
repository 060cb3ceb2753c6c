"""A request for a list: its parameters checked, its page cut out by an opaque cursor, its links."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from courier.sandbox.klaviyo.account import Account
from courier.sandbox.klaviyo.filters import Condition, conditions, holds
from courier.sandbox.klaviyo.listings import Listing
from courier.sandbox.klaviyo.operations import Operation
from courier.sandbox.klaviyo.refusals import invalid

_FIELDS = re.compile(r"(fields|additional-fields)\[([a-z-]+)\]")


@dataclass(frozen=True)
class Asked:
    """The query of a request, as the operation allows it."""

    query: tuple[tuple[str, str], ...]
    size: int
    cursor: str
    sort: str
    conditions: tuple[Condition, ...]
    fields: dict[str, list[str]]
    additional: dict[str, list[str]]
    include: tuple[str, ...]


def read_query(operation: Operation, text: str) -> Asked:
    """Raises Refused (400) for a parameter that there is not, or a value that it cannot have."""
    query = tuple(parse_qsl(text, keep_blank_values=True))
    plain: dict[str, str] = {}
    fields: dict[str, list[str]] = {}
    additional: dict[str, list[str]] = {}
    for name, value in query:
        if found := _FIELDS.fullmatch(name):
            (fields if found[1] == "fields" else additional)[found[2]] = value.split(",")
        else:
            plain[name] = value
    _check(operation, plain, additional)
    include = tuple(part for part in plain.get("include", "").split(",") if part)
    size = int(plain.get("page[size]", operation.page_default))
    sort, cursor = plain.get("sort", ""), plain.get("page[cursor]", "")
    return Asked(query, size, cursor, sort, conditions(plain.get("filter", ""), operation), fields, additional, include)


def _check(operation: Operation, plain: dict[str, str], additional: dict[str, list[str]]) -> None:
    known = {"page[cursor]", "filter", "sort", "include", *(["page[size]"] if operation.page_max else [])}
    for name in plain:
        if name not in known:
            raise invalid(name, f"'{name}' is not a valid query parameter.")
    size = plain.get("page[size]")
    if size is not None and not (size.isdecimal() and 1 <= int(size) <= operation.page_max):
        raise invalid("page[size]", f"Page size must be an integer between 1 and {operation.page_max}.")
    if plain.get("sort") and plain["sort"] not in operation.sorts:
        raise invalid("sort", f"'{plain['sort']}' is not a sortable field for this resource.")
    for name, values, allowed in (
        ("include", plain.get("include", "").split(","), operation.includes),
        *((f"additional-fields[{kind}]", values, operation.additional) for kind, values in additional.items()),
    ):
        for value in values:
            if value and value not in allowed:
                raise invalid(name, f"'{value}' is not a valid value.")


@dataclass(frozen=True)
class Page:
    rows: Sequence[Any]
    following: str | None
    previous: str | None


class Pages:
    """Pages of lists, each kept in order for as long as the account stays as it is."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[list[tuple[Any, str]], list[Any]]] = {}
        self._account: Account | None = None

    def page(self, account: Account, listing: Listing, operation: Operation, parent: str, asked: Asked) -> Page:
        """Raises Refused (400) for a cursor that is none."""
        sort = asked.sort or listing.default_sort
        keys, found = self._ordered(account, listing, operation.name, parent, sort, asked.conditions)
        start = bisect_right(keys, _place(asked.cursor)) if asked.cursor else 0
        rows = found[start : start + asked.size] if asked.size else found
        more = bool(asked.size) and start + len(rows) < len(found)
        following = _cursor(keys[start + len(rows) - 1]) if more and rows else None
        return Page(rows, following, _cursor(keys[0]) if start else None)

    def _ordered(
        self, account: Account, listing: Listing, name: str, parent: str, sort: str, wanted: tuple[Condition, ...]
    ) -> tuple[list[tuple[Any, str]], list[Any]]:
        if self._account is not account:
            self._account, self._kept = account, {}
        key = (name, parent, sort, str(wanted))
        if key not in self._kept:
            rows = [r for r in listing.rows(account, parent) if all(holds(c, listing.value(r, c.name)) for c in wanted)]
            way, by = (-1 if sort.startswith("-") else 1), sort.lstrip("-")
            keyed = sorted(((_key(listing.value(row, by), way), str(listing.value(row, "id"))), n)
                           for n, row in enumerate(rows))  # fmt: skip
            self._kept[key] = [place for place, _ in keyed], [rows[number] for _, number in keyed]
        return self._kept[key]


def _key(value: Any, way: int) -> Any:
    if isinstance(value, str):
        return value if way > 0 else "".join(chr(0x10FFFF - ord(letter)) for letter in value)
    return way * (value or 0)


def _cursor(place: tuple[Any, str]) -> str:
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _place(cursor: str) -> tuple[Any, str]:
    try:
        value, identity = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise invalid("page[cursor]", "Invalid cursor.") from None
    return value, str(identity)


def links(origin: str, path: str, asked: Asked, page: Page) -> dict[str, str | None]:
    """Absolute, with nulls where there is no other page: as the live service, unlike its specification, sends them."""
    kept = [(name, value) for name, value in asked.query if name != "page[cursor]"]

    def to(cursor: str | None) -> str | None:
        return None if cursor is None else f"{origin}{path}?{urlencode([*kept, ('page[cursor]', cursor)])}"

    return {"self": f"{origin}{path}?{urlencode(asked.query)}", "next": to(page.following), "prev": to(page.previous)}
