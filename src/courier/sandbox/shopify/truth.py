"""What the shipped Shopify courier should hold: every scope but read_users, whatever the API looks like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from courier.sandbox.history import rows
from courier.sandbox.history.checkouts import checkouts
from courier.sandbox.history.metafields import all_metafields
from courier.sandbox.history.rows import History
from courier.sandbox.shop import Shop
from courier.sandbox.telling import Books, Truth
from courier.sandbox.telling import truth_tables as told_tables

# Domain table -> what tells one row from another.
KEYS: dict[str, tuple[str, ...]] = {
    "customer": ("id",),
    "customer_address": ("id",),
    "customer_tags": ("customer_id", "value"),
    "discount_allocation": ("order_line_id", "discount_allocation_index"),
    "discount_codes": ("order_id", "code"),
    "locations": ("id",),
    "order": ("id",),
    "order_line": ("id",),
    "order_line_refund": ("id",),
    "order_tags": ("order_id", "value"),
    "product": ("id",),
    "product_tags": ("product_id", "value"),
    "product_variant": ("id",),
}
# Tables of feeds that are not turned on by default, told when they are asked for.
OPTIONAL: dict[str, tuple[str, ...]] = {
    "abandoned_checkout": ("id",),
    "customer_metafield": ("id",),
    "location_metafield": ("id",),
    "order_metafield": ("id",),
    "product_metafield": ("id",),
    "product_variant_metafield": ("id",),
}
_KEYS_OF = {**KEYS, **OPTIONAL}
_MADE: dict[str, type] = {
    "location": rows.LocationRow,
    "product": rows.ProductRow,
    "variant": rows.VariantRow,
    "customer": rows.CustomerRow,
    "address": rows.AddressRow,
    "order": rows.OrderRow,
    "line": rows.LineRow,
    "application": rows.ApplicationRow,
    "allocation": rows.AllocationRow,
    "refund_line": rows.RefundLineRow,
}
_MADE_FOR_OPTIONAL: dict[str, type] = {"checkout": rows.CheckoutRow, "metafield": rows.MetafieldRow}
_MACROS = """
    CREATE MACRO money(cents) AS (cents::DECIMAL(19,0) * 0.01::DECIMAL(3,2))::DECIMAL(19,4);
    CREATE MACRO grams(unit, value) AS round(value * CASE unit
        WHEN 'KILOGRAMS' THEN 1000 WHEN 'GRAMS' THEN 1 WHEN 'POUNDS' THEN 453.59237 WHEN 'OUNCES' THEN 28.349523125
    END::DOUBLE)::BIGINT;
"""


def _made_for(tables: Iterable[str]) -> Mapping[str, type]:
    return {**_MADE, **(_MADE_FOR_OPTIONAL if OPTIONAL.keys() & {*tables} else {})}


def _made(history: History, name: str) -> Iterator[Any]:
    """The rows of one of the history's tables."""
    if name == "checkout":
        return iter(checkouts(history).values())
    if name == "metafield":
        return all_metafields(history)
    if name == "location":
        return iter(history.locations.values())
    if name == "variant":
        return history.variants()
    if name == "product":
        return (family.product for family in history.products.values())
    if name == "customer":
        return (family.customer for family in history.customers.values())
    if name == "address":
        return (row for family in history.customers.values() for row in family.addresses)
    if name == "order":
        return (family.order for family in history.orders.values())
    parts = {"line": "lines", "application": "applications", "allocation": "allocations", "refund_line": "refund_lines"}
    return (row for family in history.orders.values() for row in getattr(family, parts[name]))


BOOKS = Books("shopify", _KEYS_OF, tuple(KEYS), _made_for, _made, _MACROS)


def truth_tables(shop: Shop, tables: Iterable[str] = tuple(KEYS)) -> dict[str, list[dict[str, Any]]]:
    """The rows of several domain tables, each ordered by its key: for looking at when hashes differ."""
    return told_tables(shop, BOOKS, tables)


def truth_rows(shop: Shop, table: str) -> list[dict[str, Any]]:
    return truth_tables(shop, (table,))[table]


def columns(table: str) -> dict[str, str]:
    """Column -> DuckDB type of a domain table, in order."""
    with Truth(BOOKS) as told:
        told.tell("truth", History(), "USD", (table,))
        return told.columns("truth", table)
