"""From a query's parameters to one page of a list: filters, order, page and limit, and what is told about paging."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from courier.sandbox.bigcommerce.refusals import Refused, unknown_filter
from courier.sandbox.bigcommerce.values import Node, parse_date

DEFAULT, MOST = 50, 250
PAGING = frozenset({"page", "limit"})


@dataclass(frozen=True)
class Item:
    """One record of a list before it is told: what it can be filtered and ordered by, and how to tell it.

    times: `date_modified` and the like -> seconds; `keys`: `customer_id` and the like -> the value
    """

    id: int
    tell: Callable[[], Node]
    times: Mapping[str, int]
    keys: Mapping[str, int]


@dataclass(frozen=True)
class Filters:
    """Which parameters a list takes. times: `date_modified`; `among`: `id`, of `id:in`; `plain`: `include`."""

    times: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    sorted_by: tuple[str, ...] = ()
    plain: frozenset[str] = frozenset()
    cursors: bool = False


def found(items: Iterable[Item], query: Mapping[str, str], filters: Filters) -> list[Item]:
    """The items of a V3 list that a query asks for, in its order. Raises Refused."""
    kept = list(items)
    for name, value in query.items():
        kept = _filtered(kept, name, value, filters)
    key = query.get("sort", "id").partition(":")[0]
    backwards = query.get("direction") == "desc" or query.get("sort", "").endswith(":desc")
    if key == "id":
        return sorted(kept, key=lambda item: item.id, reverse=backwards)
    if key not in filters.sorted_by:
        raise Refused(422, f"The sort {key} is not valid.")
    return sorted(kept, key=lambda item: (item.times[key], item.id), reverse=backwards)


def _filtered(items: list[Item], name: str, value: str, filters: Filters) -> list[Item]:
    field, _, how = name.partition(":")
    if field in filters.times and how in ("min", "max"):
        bound = _date(value)
        return [item for item in items if (item.times[field] >= bound if how == "min" else item.times[field] <= bound)]
    if field in filters.among and how == "in":
        wanted = {int(one) for one in value.split(",") if one.isdecimal()}
        return [item for item in items if (item.id if field == "id" else item.keys[field]) in wanted]
    cursor = {"after", "before"} if filters.cursors else set()
    if name not in PAGING | {"sort", "direction"} | filters.plain | cursor:
        raise unknown_filter("v3", name)
    return items


def _date(value: str) -> float:
    try:
        return parse_date(value)
    except ValueError:
        raise Refused(422, "A date is not valid.") from None


def limit_of(query: Mapping[str, str], most: int = MOST) -> int:
    """Raises Refused, 413 above the maximum."""
    text = query.get("limit", str(DEFAULT))
    if not text.isdecimal() or not int(text):
        raise Refused(422, "The limit is not valid.")
    if int(text) > most:
        raise Refused(413)
    return int(text)


def page_of(query: Mapping[str, str]) -> int:
    text = query.get("page", "1")
    if not text.isdecimal() or not int(text):
        raise Refused(422, "The page is not valid.")
    return int(text)


def paged(items: Sequence[Item], query: Mapping[str, str], filters: Filters) -> Node:
    """`data` and `meta` of a V3 list; with `after` by cursor, else by page."""
    limit, page = limit_of(query), page_of(query)
    start = _after(items, query["after"]) if filters.cursors and "after" in query else (page - 1) * limit
    shown = items[start : start + limit]
    pages = -(-len(items) // limit)
    pagination = {"total": len(items), "count": len(shown), "per_page": limit, "current_page": page}
    meta: dict[str, Any] = {"pagination": {**pagination, "total_pages": pages, "links": {"current": f"?page={page}"}}}
    if filters.cursors:
        ends = {"start_cursor": _cursor(shown[0]), "end_cursor": _cursor(shown[-1])} if shown else {}
        meta["cursor_pagination"] = {"count": len(shown), "per_page": limit, **ends}
    return {"data": [item.tell() for item in shown], "meta": meta}


def _cursor(item: Item) -> str:
    return b64encode(f"id:{item.id}".encode()).decode()


def _after(items: Sequence[Item], cursor: str) -> int:
    try:
        identity = int(b64decode(cursor).decode().removeprefix("id:"))
    except ValueError:
        raise Refused(422, "The cursor is not valid.") from None
    return next((place + 1 for place, item in enumerate(items) if item.id == identity), len(items))
