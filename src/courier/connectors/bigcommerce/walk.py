"""Every page of a list, from any place on.

Lists that can be sorted by change are walked by moments: the next page begins at the last second seen, so that a record
that changes meanwhile, and moves to the end, takes no other one's place. The others are walked by numbered pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from courier.clock import Interval
from courier.connectors.bigcommerce.answers import Page, Record
from courier.connectors.bigcommerce.client import LARGEST, Client
from courier.connectors.bigcommerce.roots import Root
from courier.connectors.bigcommerce.times import floor, last_second, parsed, written
from courier.errors import Incomplete, SourceOverloaded

SIZES = (LARGEST, 50, 10)


@dataclass(frozen=True)
class Scope:
    """Which records of a root are wanted: those that changed in whole seconds from `low` to `high`, both included."""

    root: Root
    low: datetime | None = None
    high: datetime | None = None
    params: Mapping[str, str] = field(default_factory=dict)  # what is to be shown of each record

    def filters(self, low: datetime | None) -> dict[str, str]:
        """What narrows the list down: also for counting."""
        root, found = self.root, dict[str, str]()
        for name, bound in (("min", low), ("max", self.high)):
            if bound is not None:
                key = f"{name}_{root.time}" if root.is_v2 else f"{root.time}:{name}"
                found[key] = written(bound, v2=root.is_v2)
        return found


@dataclass(frozen=True)
class Place:
    """Where reading stands; a JSON object in the manifest's position. `low` is as filters take it.

    limit: records to a page; each smaller one divides the larger, so that a page's number can be told anew
    met:   of the records of that second, which come once more, those that were seen: id -> time
    """

    low: str | None = None
    page: int = 1
    limit: int = LARGEST
    met: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def smaller(self) -> Place | None:
        """The same place in smaller pages."""
        limit = next((size for size in SIZES if size < self.limit), None)
        return replace(self, limit=limit, page=(self.page - 1) * self.limit // limit + 1) if limit else None


@dataclass(frozen=True)
class Step:
    """One page: `place` is where to go on, None after the last."""

    records: list[Record]
    received: datetime
    place: Place | None


def scope_of(root: Root, interval: Interval, since: datetime | None) -> Scope:
    """Bounds are whole seconds, outwards. Without a lower bound there is no upper one either: what is absent then is
    known to be gone. `since` bounds orders and refunds. By pages there is no upper bound: a record that leaves the
    list while it is read moves all the others.
    """
    low = max((i for i in (interval.since, since if root.bounded else None) if i), default=None)
    if not root.time or low is None:
        return Scope(root)
    high = last_second(interval.until) if interval.until and interval.since and root.way == "moments" else None
    return Scope(root, floor(low), high)


def begin(scope: Scope) -> Place:
    return Place(written(scope.low, v2=scope.root.is_v2) if scope.low else None)


def walk(client: Client, scope: Scope, place: Place) -> Iterator[Step]:
    """Raises Incomplete where the pages do not lead anywhere."""
    going: Place | None = place
    while going is not None:
        going, found, received = _asked(client, scope, going)
        met, time = going.met, scope.root.time
        fresh = [one for one in found.records if met.get(str(one["id"]), going) != one.get(time)]
        going = _next(scope, going, found.records, found.pages)
        yield Step(fresh, received, going)


def _asked(client: Client, scope: Scope, place: Place) -> tuple[Place, Page, datetime]:
    """The page of a place, or of the same place in smaller pages, where the store cannot make one so large."""
    while True:
        try:
            found, received = client.page(scope.root.path, _params(scope, place))
            return place, found, received
        except SourceOverloaded:
            smaller = place.smaller()
            if smaller is None:
                raise
            place = smaller


def _params(scope: Scope, place: Place) -> dict[str, str]:
    params = {**scope.params, **scope.filters(parsed(place.low))}
    if scope.root.way == "moments":
        params |= _sort(scope.root)
    return {**params, "page": str(place.page), "limit": str(place.limit)}


def _sort(root: Root) -> dict[str, str]:
    if root.type == "Product":  # the catalogue takes the direction by itself
        return {"sort": root.time, "direction": "asc"}
    return {"sort": f"{root.time}:asc"}


def _next(scope: Scope, place: Place, records: list[Record], pages: int | None) -> Place | None:
    if scope.root.way == "pages":
        return replace(place, page=place.page + 1) if pages is not None and place.page < pages else None
    if len(records) < place.limit and (pages is None or place.page >= pages):
        return None
    last = parsed(records[-1].get(scope.root.time)) if records else None
    if last is None:
        raise Incomplete(f"{scope.root.path}: a full page ends without a time", fix="run again later")
    low = parsed(place.low)
    if low is None or floor(last) > low:
        met = _seen(scope, records, floor(last))
        return Place(written(floor(last), v2=scope.root.is_v2), limit=place.limit, met=met)
    return replace(place, page=place.page + 1)


def _seen(scope: Scope, records: list[Record], second: datetime) -> dict[str, Any]:
    times = {str(record["id"]): record.get(scope.root.time) for record in records}
    return {identity: time for identity, time in times.items() if (parsed(time) or second) >= second}


def everything(client: Client, path: str, params: Mapping[str, str]) -> list[Record]:
    """All pages of a short list, by number. Raises Incomplete where it does not hold what it says it holds."""
    for _ in range(3):
        records, number, pages, total = list[Record](), 1, 1, 0
        while number <= pages:
            found, _received = client.page(path, {**params, "page": str(number)})
            records += found.records
            pages = _pages(found.pages, number, len(found.records))
            total = len(records) if found.total is None else found.total
            number += 1
        if len({record["id"] for record in records}) == len(records) == total:
            return records
    raise Incomplete(f"{path}: the store counts {total}, its pages show {len(records)}", fix="run again later")


def _pages(told: int | None, number: int, shown: int) -> int:
    """How many pages there are: V2 does not say, but a full page may have a next one."""
    if told is not None:
        return told
    return number + 1 if shown == LARGEST else number


def count(client: Client, scope: Scope) -> int:
    """How many records the store says there are. Raises Incomplete where it does not say."""
    root, filters = scope.root, scope.filters(scope.low)
    if root.is_v2:
        body = client.get(f"{root.path}/count", filters).body
        total = body.get("count") if isinstance(body, Mapping) else None
    else:
        total = client.page(root.path, {**filters, "limit": "1"})[0].total
    if type(total) is not int:
        raise Incomplete(f"{root.path}: the store does not say how many there are", fix="run again later")
    return total
