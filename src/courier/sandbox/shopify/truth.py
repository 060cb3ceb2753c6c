"""What the shipped couriers should hold, told by SQL over the made-up history's own tables.

The tables go into an in-memory DuckDB as schema `made`; one query per domain table (`truth_sql/`) then says what a
correct pull of every scope but read_users ends with. Nothing here knows how the API sends a value.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import orjson

from courier.config.suggestions import did_you_mean
from courier.errors import UsageError
from courier.sandbox.history import rows
from courier.sandbox.history.checkouts import checkouts
from courier.sandbox.history.differing import differing
from courier.sandbox.history.metafields import all_metafields
from courier.sandbox.history.rows import History
from courier.sandbox.shop import Shop
from courier.storage.duck import connect, quote, text
from courier.storage.hashes import table_hash_sql

SCHEMA = "shopify"  # of the shipped courier: tables are named as `courier tables` names them

if TYPE_CHECKING:
    from courier.storage.duck import Connection

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
_TYPES = {int: "BIGINT", str: "VARCHAR", bool: "BOOLEAN", float: "DOUBLE"}
_MACROS = """
    CREATE MACRO money(cents) AS (cents::DECIMAL(19,0) * 0.01::DECIMAL(3,2))::DECIMAL(19,4);
    CREATE MACRO grams(unit, value) AS round(value * CASE unit
        WHEN 'KILOGRAMS' THEN 1000 WHEN 'GRAMS' THEN 1 WHEN 'POUNDS' THEN 453.59237 WHEN 'OUNCES' THEN 28.349523125
    END::DOUBLE)::BIGINT;
"""


@dataclass(frozen=True)
class TableTruth:
    """One domain table: how many rows, and the hash that `courier tables --hash` must show too."""

    table: str
    rows: int
    hash: str


@dataclass(frozen=True)
class TableChange:
    """What a change did to one domain table's rows."""

    table: str
    inserted: int
    updated: int
    deleted: int


def truth(shop: Shop, tables: Iterable[str] = tuple(KEYS)) -> list[TableTruth]:
    """Rows and hash of the thirteen domain tables in the order of their names, or of the tables asked for.

    Raises UsageError for a table that there is not.
    """
    wanted = tuple(tables)
    for table in wanted:
        if table not in _KEYS_OF:
            raise UsageError(f"the sandbox knows no table `{table}`", fix=did_you_mean(table, _KEYS_OF))
    with Truth() as told:
        told.tell("truth", shop.history, shop.options.currency, wanted)
        return [told.hashed("truth", table) for table in wanted]


def truth_rows(shop: Shop, table: str) -> list[dict[str, Any]]:
    """The rows of one domain table, ordered by its key: for looking at when hashes differ."""
    return truth_tables(shop, (table,))[table]


def truth_tables(shop: Shop, tables: Iterable[str] = tuple(KEYS)) -> dict[str, list[dict[str, Any]]]:
    """The rows of several domain tables, each ordered by its key."""
    wanted = tuple(tables)
    with Truth() as told:
        told.tell("truth", shop.history, shop.options.currency, wanted)
        return {table: told.listed("truth", table) for table in wanted}


def columns(table: str) -> dict[str, str]:
    """Column -> DuckDB type of a domain table, in order."""
    with Truth() as told:
        told.tell("truth", History(), "USD", (table,))
        return told.columns("truth", table)


def change(shop: Shop, orders: int = 50) -> list[TableChange]:
    """Change the shop at the present second, and tell what that means for each domain table."""
    shop.refresh()
    whole = shop.history
    shop.add({"kind": "change", "at": shop.seconds(), "orders": orders, "number": len(shop.changes)})
    before, after = differing(whole, shop.history)
    with Truth() as told:
        told.tell("before", before, shop.options.currency)
        told.tell("after", after, shop.options.currency)
        return [told.compared(table) for table in KEYS]


class Truth:
    """A database in memory that the truth is told in, in one schema per state of the shop."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="courier-sandbox-")
        self._connection: Connection = connect(spill=Path(self._folder.name) / "spill")
        self._connection.execute(_MACROS)

    def __enter__(self) -> Truth:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()
        self._folder.cleanup()

    def tell(self, schema: str, history: History, currency: str, tables: Iterable[str] = tuple(KEYS)) -> None:
        """Make the domain tables of a history in `schema`."""
        run = self._connection.execute
        tables = tuple(tables)
        made = {**_MADE, **(_MADE_FOR_OPTIONAL if OPTIONAL.keys() & {*tables} else {})}
        run(f"CREATE SCHEMA {schema}; CREATE SCHEMA made")
        run(f"CREATE OR REPLACE MACRO shop_currency() AS {text(currency)}")
        for name, kind in made.items():
            self._load(Path(self._folder.name) / name, name, kind, _made(history, name))
        for table in tables:
            run(f"CREATE TABLE {schema}.{quote(table)} AS {_query(table)}")
        run("DROP SCHEMA made CASCADE")

    def _load(self, path: Path, name: str, kind: type, made: Iterator[Any]) -> None:
        with path.open("wb", buffering=1024 * 1024) as lines:  # a million orders have five million
            lines.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in made)
        wanted = ", ".join(f"{text(field)}: {text(_type(hint))}" for field, hint in get_type_hints(kind).items())
        source = f"read_json({text(str(path))}, format = 'newline_delimited', columns = {{{wanted}}})"
        self._connection.execute(f"CREATE TABLE made.{quote(name)} AS FROM {source}")
        path.unlink()

    def columns(self, schema: str, table: str) -> dict[str, str]:
        described = self._connection.execute(f"DESCRIBE {schema}.{quote(table)}").fetchall()
        return {str(row[0]): _named(str(row[1])) for row in described}

    def hashed(self, schema: str, table: str) -> TableTruth:
        sql = table_hash_sql(f"{schema}.{quote(table)}", self.columns(schema, table))
        found = self._connection.execute(sql).fetchone()
        assert found is not None
        return TableTruth(f"{SCHEMA}.{table}", int(found[0]), str(found[1]))

    def listed(self, schema: str, table: str) -> list[dict[str, Any]]:
        order = ", ".join(quote(name) for name in _KEYS_OF[table])
        found = self._connection.execute(f"FROM {schema}.{quote(table)} ORDER BY {order}").fetchall()
        names = list(self.columns(schema, table))
        return [dict(zip(names, row, strict=True)) for row in found]

    def compared(self, table: str) -> TableChange:
        key = " AND ".join(f"b.{quote(name)} = a.{quote(name)}" for name in KEYS[table])
        first = quote(KEYS[table][0])
        sql = f"""
            SELECT
                count(*) FILTER (b.{first} IS NULL),
                count(*) FILTER (b.{first} IS NOT NULL AND a.{first} IS NOT NULL AND b IS DISTINCT FROM a),
                count(*) FILTER (a.{first} IS NULL)
            FROM before.{quote(table)} AS b FULL JOIN after.{quote(table)} AS a ON {key}
        """
        found = self._connection.execute(sql).fetchone()
        assert found is not None
        return TableChange(f"{SCHEMA}.{table}", int(found[0]), int(found[1]), int(found[2]))


@lru_cache
def _query(table: str) -> str:
    return resources.files("courier.sandbox.shopify").joinpath(f"truth_sql/{table}.sql").read_text("utf-8")


def _named(duck_type: str) -> str:
    return "TIMESTAMPTZ" if duck_type == "TIMESTAMP WITH TIME ZONE" else duck_type


def _type(hint: Any) -> str:
    """The DuckDB type of a row class's field."""
    if get_origin(hint) in (Union, types.UnionType):
        return _type(next(i for i in get_args(hint) if i is not type(None)))
    if get_origin(hint) is tuple:
        return f"{_type(get_args(hint)[0])}[]"
    if hint in _TYPES:
        return _TYPES[hint]
    inner = ", ".join(f"{quote(name)} {_type(part)}" for name, part in get_type_hints(hint).items())
    return f"STRUCT({inner})"


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
