"""Searching among many records: each resource is sorted once per state of the shop, and a range is cut out of that."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from courier.sandbox.shopify.paging import Key
from courier.sandbox.shopify.resources import Resource
from courier.sandbox.shopify.search import Parsed

REMEMBERED = 16


@dataclass(frozen=True)
class Listing:
    """The records that a query finds, in order: `keys` ascend, `rows` beside them."""

    keys: Sequence[Key]
    rows: Sequence[Any]

    def between(self, low: float, high: float) -> Listing:
        """Those with low <= sort value < high."""
        start = bisect_left(self.keys, (low, 0))
        end = bisect_left(self.keys, (high, 0))
        if (start, end) == (0, len(self.keys)):
            return self
        return Listing(self.keys[start:end], self.rows[start:end])


class Listings:
    """The last few listings of one state of the shop, so that the next page does not search everything again."""

    def __init__(self) -> None:
        self.found: OrderedDict[tuple[object, ...], Listing] = OrderedDict()
        self.whole: OrderedDict[tuple[object, ...], Listing] = OrderedDict()

    def get(self, key: tuple[object, ...], make: Callable[[], Listing]) -> Listing:
        return _remembered(self.found, key, make)

    def sorted(self, key: tuple[object, ...], make: Callable[[], Listing]) -> Listing:
        """All records of one resource by one sort key."""
        return _remembered(self.whole, key, make)


def _remembered(
    known: OrderedDict[tuple[object, ...], Listing], key: tuple[object, ...], make: Callable[[], Listing]
) -> Listing:
    if key in known:
        known.move_to_end(key)
        return known[key]
    known[key] = make()
    if len(known) > REMEMBERED:
        known.popitem(last=False)
    return known[key]


def by(resource: Resource, rows: Iterable[Any], sort: str) -> Listing:
    """Rows in the order of one of the resource's sort keys, then of their ids."""
    value, identity, found = resource.keys[sort], resource.identity, list(rows)
    keys = [(value(row), identity(row)) for row in found]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return Listing([keys[at] for at in order], [found[at] for at in order])


def search(resource: Resource, parsed: Parsed, sort: str, whole: Callable[[str], Listing]) -> Listing:
    """What the query finds, in order. `whole` gives all records by a sort key."""
    found_by, listing, done = _narrowed(resource, parsed, sort, whole)
    listing = listing if done else _filtered(listing, parsed)
    return listing if found_by == sort else by(resource, listing.rows, sort)


def count(resource: Resource, parsed: Parsed, whole: Callable[[str], Listing]) -> int:
    """How many the query finds: nothing need be sorted anew."""
    _, listing, done = _narrowed(resource, parsed, "ID", whole)
    return len(listing.keys) if done else sum(1 for row in listing.rows if parsed.accepts(row))


def _narrowed(
    resource: Resource, parsed: Parsed, sort: str, whole: Callable[[str], Listing]
) -> tuple[str, Listing, bool]:
    """What one of the query's ranges leaves of a sorted listing: its sort key, itself, whether that is all asked."""
    usable = [name for name in parsed.bounds if name.upper() in resource.keys]
    if not usable:
        return sort, whole(sort), parsed.exact and not parsed.bounds
    name = next((name for name in usable if name.upper() == sort), usable[0])
    narrowed = whole(name.upper()).between(*parsed.bounds[name])
    return name.upper(), narrowed, parsed.exact and len(parsed.bounds) == 1


def _filtered(listing: Listing, parsed: Parsed) -> Listing:
    kept = [at for at, row in enumerate(listing.rows) if parsed.accepts(row)]
    return Listing([listing.keys[at] for at in kept], [listing.rows[at] for at in kept])
