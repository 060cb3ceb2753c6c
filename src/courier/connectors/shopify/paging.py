"""Pages of root records, one after another, as large as they may be; and counting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from courier.connectors.shopify import cost
from courier.connectors.shopify.chain import LONGEST_CHAIN, Place, Scope, advance, filter_of, restart, sort_of
from courier.connectors.shopify.client import Client, Reply
from courier.connectors.shopify.document import count_document
from courier.connectors.shopify.graph import Root
from courier.connectors.shopify.records import Record, digits, page_of
from courier.errors import Incomplete, SourceOverloaded

MOST_REPEATED = 3  # times that an old page comes instead of the next one
MOST_REFUSED = 20  # cursors refused in one walk: each begins a new chain, which gets further


@dataclass(frozen=True)
class Limits:
    """How many objects one chain of cursors may pass, and the page sizes to choose from, the largest first.

    many: root records, above which the wait for a bulk operation is shorter than the pages
    """

    longest: int = LONGEST_CHAIN
    sizes: tuple[int, ...] = cost.PAGE_SIZES
    many: int = 5_000


class Sizes:
    """Asks paged documents: in the largest pages that fit, and in smaller ones once those prove too much."""

    def __init__(self, client: Client, sizes: tuple[int, ...], cost_of: Callable[[int], int]) -> None:
        self._client = client
        self._sizes = sizes
        self._cost_of = cost_of

    def ask(self, document: str, variables: Mapping[str, Any]) -> Reply:
        """Ask with $first. Raises what Client.ask raises, SourceOverloaded only when a page of one is too much."""
        while True:
            size = self._sizes[0]
            try:
                return self._client.ask(document, {**variables, "first": size}, self._cost_of(size))
            except SourceOverloaded:
                smaller = tuple(other for other in self._sizes if other * 2 <= size)
                if not smaller:
                    raise
                self._sizes = smaller


@dataclass(frozen=True)
class Step:
    """One page: `place` is where to go on, None after the last."""

    nodes: list[Record]
    received: datetime
    place: Place | None


@dataclass(frozen=True)
class Connected:
    """A root connection to walk: its field in the answer, its document by sort key, and the time field of its nodes.

    `nullable`: the API may answer null, and there is nothing to walk.
    """

    field: str
    document: Callable[[str], str]
    time: str = "updatedAt"
    nullable: bool = False


def walk(
    sizes: Sizes, connected: Connected, scope: Scope, place: Place, longest: int = LONGEST_CHAIN
) -> Iterator[Step]:
    """Every page of a scope from a place on. Raises Incomplete where the pages do not lead anywhere."""
    passed: set[str] = set()
    repeated = refused = 0
    going: Place | None = place
    while going is not None:
        place = going
        reply = sizes.ask(connected.document(sort_of(scope, place)), _variables(scope, place))
        if reply.cursor_refused:
            going = restart(scope, place) if scope.searchable else Place()
            passed, refused = set(), _again(refused, MOST_REFUSED, connected.field)
            continue
        if connected.nullable and reply.data.get(connected.field) is None:
            return
        page = page_of(connected.field, reply.data.get(connected.field))
        if page.cursor is not None and (page.cursor in passed or page.cursor == place.after):
            repeated = _again(repeated, MOST_REPEATED, connected.field)
            continue
        repeated = 0
        met = [(_number(node), node.get(connected.time)) for node in page.nodes]
        going = advance(scope, place, met, page.cursor, longest)
        passed = _passed(passed, place, going, connected.field)
        yield Step(page.nodes, reply.received, going)


def _variables(scope: Scope, place: Place) -> dict[str, Any]:
    filtered = {"query": filter_of(scope, place)} if scope.searchable else {}
    return {"after": place.after, **filtered}


def _again(times: int, most: int, field: str) -> int:
    if times >= most:
        raise Incomplete(f"{field}: the shop's cursors lead nowhere", fix="run again later; nothing was committed")
    return times + 1


def _passed(passed: set[str], place: Place, going: Place | None, field: str) -> set[str]:
    """The cursors of the chain that goes on, empty for a new chain. Raises Incomplete if that is the old one again."""
    if going is None or going.after is None:
        if going and (going.low, going.until, going.beyond) == (place.low, place.until, place.beyond):
            raise Incomplete(f"{field}: more records share one moment than can be paged", fix="report this")
        return set()
    return passed | {going.after}


def _number(node: Mapping[str, Any]) -> int | None:
    found = digits(node.get("id"))
    return int(found) if found else None


def count(client: Client, root: Root, query: str | None) -> int | None:
    """How many records the source says there are; None where it cannot say exactly."""
    if root.count is None:
        return None
    reply = client.ask(count_document(root), {"query": query}, cost.COUNT)
    found = reply.data.get(root.count)
    exact = isinstance(found, Mapping) and found.get("precision") == "EXACT" and not reply.filter_ignored
    return int(found["count"]) if exact and found else None
