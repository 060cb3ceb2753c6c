"""How one connection is paged to its end, though no chain of cursors may pass 25,000 objects. Pure.

A chain goes by the time of change, or by id where a source cannot sort by time. When it has grown long it ends, and the
next one begins at the last time seen. Where more objects share one moment than a chain holds, that moment alone is read
by id, and the chain goes on after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from courier.clock import Interval, rfc3339
from courier.connectors.shopify.graph import Root

LONGEST_CHAIN = 24_000


@dataclass(frozen=True)
class Scope:
    """Which objects are wanted: those whose `time` lies in [low, high), and whatever `extra` asks for as well.

    `granule`: what the filter's bounds are rounded to; `overlap`: how much earlier the next chain begins.
    """

    low: datetime | None
    high: datetime | None
    time: str = "updated_at"
    extra: str = ""
    granule: timedelta = timedelta(seconds=1)
    overlap: timedelta = timedelta(0)
    searchable: bool = True
    sort: str = "UPDATED_AT"


@dataclass(frozen=True)
class Place:
    """Where reading stands; a JSON object in the manifest's position. Times are RFC 3339."""

    low: str | None = None  # the chain's lower bound
    until: str | None = None  # set while one moment [low, until) is read by id
    beyond: int | None = None  # and then, ids above this one
    after: str | None = None  # the cursor
    seen: int = 0  # objects of this chain
    last: str | None = None  # the last object's time, and its id
    last_id: int | None = None

    @property
    def by(self) -> Literal["time", "id"]:
        return "id" if self.until else "time"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def place_from(position: Mapping[str, Any]) -> Place:
    return Place(**position)


def scope_of(root: Root, interval: Interval, since: datetime | None = None) -> Scope:
    """The scope of a request. Bounds are whole seconds, outwards; customers are filtered by whole days.

    Without a lower bound there is no upper one either: what is absent then is known to be gone.
    `since` bounds orders by their creation.
    """
    if not root.searchable:
        return Scope(None, None, searchable=False, sort="ID")
    extra = f"created_at:>={_quoted(_floor(since, _SECOND))}" if since and root.type == "Order" else ""
    if root.whole_days:
        low = _floor(interval.since, _DAY) - _DAY if interval.since else None
        return Scope(low, None, extra=extra, granule=_DAY, overlap=_DAY)
    if interval.since is None:
        return Scope(None, None, extra=extra, sort=root.sort)
    return Scope(_floor(interval.since, _SECOND), _ceiling(interval.until), extra=extra, sort=root.sort)


_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _floor(instant: datetime, granule: timedelta) -> datetime:
    return instant - (instant - _EPOCH) % granule


def _ceiling(instant: datetime | None) -> datetime | None:
    return None if instant is None else -((_EPOCH - instant) // _SECOND) * _SECOND + _EPOCH


def _quoted(instant: datetime) -> str:
    return f"'{rfc3339(instant)}'"


def parsed(text: str | None) -> datetime | None:
    """An RFC 3339 time of the shop's, or None where it cannot be read."""
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


def begin(scope: Scope) -> Place:
    return Place(low=rfc3339(scope.low) if scope.low else None)


def filter_of(scope: Scope, place: Place) -> str | None:
    """The search text of a place: `updated_at:>='A' AND updated_at:<'B'`, or None where everything is wanted."""
    high = parsed(place.until) or scope.high
    if scope.high and high and scope.high < high:
        high = scope.high
    parts = [f"{scope.time}:>='{place.low}'"] if place.low else []
    parts += [f"{scope.time}:<{_quoted(high)}"] if high else []
    parts += [f"id:>{place.beyond}"] if place.beyond is not None else []
    parts += [scope.extra] if scope.extra else []
    return " AND ".join(parts) or None


def whole_filter(scope: Scope) -> str | None:
    """The search text of the scope as a whole: for counting."""
    return filter_of(scope, begin(scope))


def sort_of(scope: Scope, place: Place) -> str:
    return "ID" if place.by == "id" else scope.sort


def advance(
    scope: Scope,
    place: Place,
    met: Sequence[tuple[int | None, str | None]],
    cursor: str | None,
    longest: int = LONGEST_CHAIN,
) -> Place | None:
    """Where to go on after a page whose objects were `met` (id and time); `cursor` is None on a chain's last page.

    None: everything has been read.
    """
    last_id, last = met[-1] if met else (place.last_id, place.last)
    moved = replace(place, after=cursor, seen=place.seen + len(met), last=last, last_id=last_id)
    if cursor is None:
        return _after_moment(scope, place) if place.by == "id" else None
    if moved.seen < longest or not scope.searchable:
        return moved
    return restart(scope, moved)


def restart(scope: Scope, place: Place) -> Place:
    """A new chain that loses nothing: from the last time seen, or by id where that is where this one began."""
    if place.by == "id" or scope.sort == "ID":
        return Place(low=place.low, until=place.until, beyond=_greater(place.beyond, place.last_id))
    last = parsed(place.last)
    if last is None:
        return Place(low=place.low)
    low, began = _floor(last, scope.granule) - scope.overlap, parsed(place.low)
    if began is None or low > began:
        return Place(low=rfc3339(low))
    return Place(low=place.low, until=rfc3339(began + scope.granule))


def _greater(beyond: int | None, last_id: int | None) -> int | None:
    return max((number for number in (beyond, last_id) if number is not None), default=None)


def _after_moment(scope: Scope, place: Place) -> Place | None:
    until = parsed(place.until)
    if scope.high and until and until >= scope.high:
        return None
    return Place(low=place.until)
