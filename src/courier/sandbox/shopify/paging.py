"""Connections: pages cut out of an ordered set by keys, so that a cursor stays good while records change."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError

from courier.sandbox.shopify.values import Node

MOST = 250
REACH = 25_000

Key = tuple[int | str, int]


def bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def cursor(key: Key) -> str:
    """As Shopify's own: base64 of `{"last_id":..,"last_value":".."}`."""
    return base64.b64encode(orjson.dumps({"last_id": key[1], "last_value": str(key[0])})).decode()


def read_cursor(text: str, sample: Key) -> Key:
    """The key in a cursor; `sample` says whether values are numbers or texts."""
    try:
        found = orjson.loads(base64.b64decode(text, validate=True))
        value: int | str = int(found["last_value"]) if isinstance(sample[0], int) else found["last_value"]
        return value, int(found["last_id"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise bad_request("Invalid cursor for current pagination sort.") from error


def page_size(first: int | None, last: int | None) -> int:
    if first is None and last is None:
        raise bad_request("you must provide one of first or last")
    if first is not None and last is not None:
        raise bad_request("providing both first and last is not supported")
    size = first if first is not None else last or 0
    if size < 0:
        raise bad_request("first and last must not be negative")
    if size > MOST:
        raise bad_request(f"first and last cannot exceed {MOST}")
    return size


@dataclass(frozen=True)
class Arguments:
    """What every connection can be asked for."""

    first: int | None = None
    last: int | None = None
    after: str | None = None
    before: str | None = None
    reverse: bool = False


@dataclass(frozen=True)
class Cut:
    """Positions [low, high) of a page among ascending keys; read from high down to low when `reverse`."""

    low: int
    high: int
    reverse: bool

    def of(self, rows: Sequence[Any]) -> Sequence[Any]:
        part = rows[self.low : self.high]
        return part[::-1] if self.reverse else part


def cut(keys: Sequence[Key], arguments: Arguments) -> Cut:
    """The page that the arguments ask for. Raises GraphQLError as Shopify would answer."""
    size = page_size(arguments.first, arguments.last)
    after, before, backwards = arguments.after, arguments.before, arguments.first is None
    if arguments.reverse:  # the same page, seen from the other end
        after, before, backwards = before, after, not backwards
    low = bisect_right(keys, read_cursor(after, keys[0])) if after and keys else 0
    high = bisect_left(keys, read_cursor(before, keys[0])) if before and keys else len(keys)
    high = max(low, high)
    low, high = (max(low, high - size), high) if backwards else (low, min(high, low + size))
    if (len(keys) - high if arguments.reverse else low) >= REACH:
        raise bad_request(f"Pagination is limited to {REACH} objects. Narrow the query to reach further.")
    return Cut(low, high, arguments.reverse)


def connection(edge: str, keys: Sequence[Key], page: Cut, nodes: list[Node]) -> Node:
    """A connection's fields. `nodes` may be fewer than the page's keys, when a fault hides some."""
    own = page.of(keys)

    def edges(info: object) -> list[Node]:
        return [
            {"__typename": edge, "cursor": cursor(key), "node": node} for key, node in zip(own, nodes, strict=False)
        ]

    more, fewer = page.high < len(keys), page.low > 0
    return {
        "nodes": nodes,
        "edges": edges,
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": fewer if page.reverse else more,
            "hasPreviousPage": more if page.reverse else fewer,
            "startCursor": cursor(own[0]) if own else None,
            "endCursor": cursor(own[-1]) if own else None,
        },
    }


class Many:
    """An inner connection over `rows`, ascending by `key`; `build` makes a row's node when its page is asked for."""

    __slots__ = ("build", "key", "rows")

    def __init__(self, rows: Sequence[Any], build: Callable[[Any], Node], key: Callable[[Any], Key]) -> None:
        self.rows = rows
        self.build = build
        self.key = key

    def __call__(
        self,
        info: object,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        reverse: bool = False,
        **others: object,
    ) -> Node:
        keys = [self.key(row) for row in self.rows]
        page = cut(keys, Arguments(first, last, after, before, reverse))
        return connection("", keys, page, [self.build(row) for row in page.of(self.rows)])
