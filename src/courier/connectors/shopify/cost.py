"""What a query costs, by the formula that fits nine of ten recorded queries, and the largest page allowed.

Cost grows with the logarithm of a page's size, so pages are as large as they may be.
"""

from __future__ import annotations

from math import floor, log

from courier.connectors.shopify import graph
from courier.connectors.shopify.document import Connection, Field

PAGE_SIZES = (250, 200, 100, 50, 25, 10, 5, 1)
MOST_PER_QUERY = 1000
COUNT = 10
PROBE = 2


def cost_of(field: Field, first: int | None = None) -> int:
    """The cost of a field with everything below it; `first` replaces a connection's own page size."""
    below = sum(cost_of(child) for child in field.fields)
    if field.kind == "connection":
        return 2 + growth(field.first if first is None else first) * (1 + below)
    if field.kind in ("scalar", "scalars") or graph.is_free(field.owner, field.name, field.type):
        return below
    return 1 + below


def growth(first: int) -> int:
    """How a connection's nodes count: 250 of them as 11."""
    return max(1, floor(2 * log(first))) if first else 0


def drain_cost(connection: Connection, first: int) -> int:
    """A further page of an inner connection: two `node` fields, the objects on the way, and the page."""
    return 2 + len(connection.path) - 1 + cost_of(connection.field, first)


def page_sizes(field: Field, most: int = MOST_PER_QUERY, sizes: tuple[int, ...] = PAGE_SIZES) -> tuple[int, ...]:
    """The page sizes that fit into one query, the largest first; 1 if none does."""
    fitting = tuple(size for size in sizes if cost_of(field, size) <= min(most, MOST_PER_QUERY))
    return fitting or (1,)
