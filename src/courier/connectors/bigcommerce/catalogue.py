"""A product's variants, read for many products at once, and its reviews, of which there is a list per product only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from courier.config.project import DomainTable
from courier.connectors.bigcommerce.answers import Record, page
from courier.connectors.bigcommerce.client import LARGEST, Client
from courier.connectors.bigcommerce.families import Family
from courier.connectors.bigcommerce.walk import everything
from courier.connectors.contract import Stored
from courier.storage.selection import Node

PATH = "v3/catalog/products"
INCLUDED = ("channels", "custom_fields")
RATED = "reviews_count,reviews_rating_sum"
Rating = tuple[int, int]
"""How many approved reviews a product has, and the sum of their ratings."""


def params(asked: Node) -> dict[str, str]:
    """What of a product has to be asked for by name. Whether `include_fields` would take it away again is not said."""
    include = [name for name in INCLUDED if name in asked.fields]
    return {"include": ",".join(include)} if include else {}


def with_variants(client: Client, records: Sequence[Record], received: datetime) -> Iterator[Family]:
    """The products of one page with their variants."""
    by_product: dict[Any, list[Record]] = {record["id"]: [] for record in records}
    if records:
        wanted = {"product_id:in": ",".join(str(identity) for identity in by_product)}
        for variant in everything(client, "v3/catalog/variants", wanted):
            by_product.get(variant.get("product_id"), []).append(variant)
    for record in records:
        yield Family(record, received, {"variants": by_product[record["id"]]})


def with_reviews(client: Client, identities: Sequence[int], shown: Mapping[str, str]) -> Iterator[Family]:
    """The products of these ids, with all of their reviews. Those that are gone by now are left out."""
    wanted = {**shown, "id:in": ",".join(map(str, identities)), "limit": str(LARGEST)}
    found, received = client.page(PATH, wanted)
    for record in found.records:
        reviews = _reviews(client, int(record["id"]))
        if reviews is not None:
            yield Family(record, received, {"reviews": reviews})


def _reviews(client: Client, product: int) -> list[Record] | None:
    """All of a product's; None where it is gone by now. Nearly always one request is enough."""
    path = f"{PATH}/{product}/reviews"
    reply = client.get(path, {"limit": str(LARGEST), "page": "1"}, frozenset({404}))
    if reply.status == 404:
        return None
    first = page(path, reply.body)
    return first.records if first.total == len(first.records) else everything(client, path, {})


def ratings(client: Client) -> dict[int, Rating]:
    """Product -> what it says of its reviews: every product there is, 250 to a request."""
    found = everything(client, PATH, {"include_fields": RATED})
    return {int(one["id"]): (_number(one, "reviews_count"), _number(one, "reviews_rating_sum")) for one in found}


def known_ratings(table: DomainTable, stored: Stored) -> dict[int, Rating]:
    """The same of the reviews that are stored. Empty where the table has no columns to tell it by."""
    columns = [_column(table, path) for path in ("parent.id", "status", "rating")]
    if None in columns:
        return {}
    found: dict[int, Rating] = {}
    for product, status, rating in stored(table.name, [name for name in columns if name]):
        count, total = found.get(product, (0, 0))
        if status == "approved":
            found[product] = count + 1, total + (rating or 0)
    return found


def moved(told: Mapping[int, Rating], known: Mapping[int, Rating]) -> list[int]:
    """The products whose reviews are other than those that are stored."""
    nothing = (0, 0)
    return sorted(product for product, rating in told.items() if rating != known.get(product, nothing))


def _column(table: DomainTable, path: str) -> str | None:
    """The column that holds what a path leads to, as it is."""
    fits = (c.name for c in table.columns if c.sql is None and [source.text for source in c.sources] == [path])
    return next(fits, None)


def _number(record: Record, name: str) -> int:
    value = record.get(name)
    return int(value) if isinstance(value, (int, float)) else 0
