"""Tagged tables for the tests of the semantic views: a small vocabulary, and tables of made-up sources in DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from courier.config.column_types import parse_type
from courier.config.project import Column, DomainTable, SemanticTag
from courier.config.vocabulary import vocabulary
from courier.storage.commit import commit
from courier.storage.duck import duck_type, quote
from courier.storage.entities import Entity, Tagged, TaggedTable, entities, entity_sql
from courier.storage.load import Committed, FeedLoad, RunRecord
from tests.storage.loads import SCHEMA, Shop

if TYPE_CHECKING:
    from courier.storage.duck import Connection

_TYPES = {
    "ck": None,
    "pk": None,
    "fk-*": None,
    **dict.fromkeys(("given-name", "surname", "email", "email-*", "phone", "address", "city", "loyalty-id"), "string"),
    "birthdate": "date",
    "update-dt": "datetime",
    **dict.fromkeys(("txn-item/order-id", "txn-item/product-id", "pc/product-id", "email-opt/email"), "string"),
    "txn-item/item-quantity": "integer",
    "txn-item/item-revenue": "decimal",
}
ALIASES = {"address": ("addresss",)}
TAGS = tuple(
    SemanticTag(name, parse_type(kind) if kind else None, False, False, ALIASES.get(name, ()))
    for name, kind in _TYPES.items()
)
WORDS = vocabulary(TAGS)


def table(schema: str, name: str, /, **columns: tuple[str, ...]) -> TaggedTable:
    """Each column is its type and then its tags. The key is `id`, which has none."""
    tagged = tuple(Tagged(column, kind, tuple(tags), False) for column, (kind, *tags) in columns.items())
    return TaggedTable(schema, name, ("id",), tagged)


def made(*tables: TaggedTable) -> dict[str, Entity]:
    return {one.name: one for one in entities(tables, WORDS)}


def create(connection: Connection, tables: Iterable[TaggedTable], rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
    """The tables, with an `id` before their tagged columns; `rows` by the table's name, without the id."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS semantic")
    for one in tables:
        columns = [("id", "BIGINT"), *((c.name, duck_type(parse_type(c.type))) for c in one.columns)]
        listed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(one.schema)}")
        connection.execute(f"CREATE OR REPLACE TABLE {quote(one.schema)}.{quote(one.name)} ({listed})")
        for number, row in enumerate(rows.get(one.name, ())):
            places = ", ".join("?" for _ in columns)
            connection.execute(f"INSERT INTO {quote(one.schema)}.{quote(one.name)} VALUES ({places})", [number, *row])
    for entity in entities(tuple(tables), WORDS):
        connection.execute(f"CREATE OR REPLACE VIEW semantic.{entity.name} AS {entity_sql(entity)}")


def load(shop: Shop, *loads: FeedLoad, schema: str = SCHEMA, run: str = "r") -> Committed:
    """Commit with this vocabulary, into any schema."""
    record = RunRecord(f"{schema}-{run}", schema, "made-up", schema, "2026-01-01T00:00:00Z", None)
    return commit(shop.warehouse, record, loads, TAGS, schema)


def tagged(one: DomainTable, **tags: str) -> DomainTable:
    """The table with each named column's tag."""

    def with_tag(column: Column) -> Column:
        return replace(column, tags=(tags[column.name],)) if column.name in tags else column

    return replace(one, columns=tuple(map(with_tag, one.columns)))
