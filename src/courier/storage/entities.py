"""What semantic tags make of the domain tables: customers, order items and products, each one SELECT over all sources.

No source is known here: a table belongs to an entity by its tags, and a column of the entity is a tag.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from courier.config.column_types import parse_type
from courier.config.project import ColumnType, Project
from courier.config.vocabulary import Vocabulary, vocabulary
from courier.storage.duck import duck_type, quote, text
from courier.storage.target import key_text

SCHEMA = "semantic"
OWN_COLUMNS = ("source", "source_table", "source_key")
"""Which row a row of a view is: schema, domain table, and the primary key as text."""
_NO_WORD = re.compile(r"[^a-z0-9]+")
_PEOPLE = ("given-name", "surname", "full-name", "email", "phone", "loyalty-id")
"""Tags that say who somebody is. An address alone may be a shop's: see `_is_customer`."""


@dataclass(frozen=True)
class Tagged:
    """One column of a domain table with all of its tags; `type` in the words of the YAML."""

    name: str
    type: str
    tags: tuple[str, ...]
    pii: bool


@dataclass(frozen=True)
class TaggedTable:
    """A domain table and those of its columns that have tags, in its order."""

    schema: str
    name: str
    primary_key: tuple[str, ...]
    columns: tuple[Tagged, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(tag for column in self.columns for tag in column.tags))


@dataclass(frozen=True)
class Origin:
    """Where a view's column comes from in one table: the columns with its tag, in the table's order."""

    table: TaggedTable
    columns: tuple[Tagged, ...]


@dataclass(frozen=True)
class EntityColumn:
    """One column of a view. A table without an origin has null there."""

    name: str
    tags: tuple[str, ...]
    type: ColumnType
    origins: tuple[Origin, ...]

    @property
    def pii(self) -> bool:
        return any(column.pii for origin in self.origins for column in origin.columns)


@dataclass(frozen=True)
class Entity:
    """One view: `semantic.customer` has the name `customer`."""

    name: str
    meaning: str
    tables: tuple[TaggedTable, ...]
    columns: tuple[EntityColumn, ...]

    @property
    def relation(self) -> str:
        return f"{SCHEMA}.{self.name}"


@dataclass(frozen=True)
class _Kind:
    name: str
    prefix: str
    meaning: str


_KINDS = (
    _Kind("customer", "", "One row per customer record of every source: the columns with profile tags."),
    _Kind(
        "order_item", "txn-item/", "One row per product of an order, of every source: the columns tagged txn-item/*."
    ),
    _Kind("product", "pc/", "One row per product of every source's catalogue: the columns tagged pc/*."),
)


def entities(tables: Iterable[TaggedTable], tags: Vocabulary) -> Iterator[Entity]:
    """The views that these tables make; none for an entity that no table belongs to."""
    known = sorted(tables, key=lambda table: (table.schema, table.name))
    places = {tag.name: place for place, tag in enumerate(tags.tags)}
    for kind in _KINDS:
        members = tuple(table for table in known if _belongs(table, kind))
        if members:
            columns = tuple(_columns(kind, members, tags, places))
            yield Entity(kind.name, kind.meaning, members, columns)


def _belongs(table: TaggedTable, kind: _Kind) -> bool:
    return any(tag.startswith(kind.prefix) for tag in table.tags) if kind.prefix else _is_customer(table)


def _is_customer(table: TaggedTable) -> bool:
    """Somebody's name, e-mail, phone or loyalty id; or an address that belongs to a customer's key."""
    if any(is_kind_of(tag, person) for tag in table.tags for person in _PEOPLE):
        return True
    return any(is_kind_of(tag, "address") for tag in table.tags) and any(map(_is_key, table.tags))


def is_kind_of(tag: str, name: str) -> bool:
    """`email`, and `email-2` or `email-work` as well; not email-opt/brand, which is of another group."""
    return tag == name or (tag.startswith(f"{name}-") and "/" not in tag)


def _is_key(tag: str) -> bool:
    return is_kind_of(tag, "ck") or tag.startswith("fk-")


def _is_in(tag: str, kind: _Kind) -> bool:
    """Whether an entity has a column for a tag. Customers' keys go with all of them, so that they can be joined."""
    if kind.prefix:
        return tag.startswith(kind.prefix) or _is_key(tag)
    return "/" not in tag and tag != "pk"  # of `pk`, source_key says more: see docs/semantic_views.md


def column_name(tag: str) -> str:
    """`txn-item/order-id` is order_id."""
    name = _NO_WORD.sub("_", tag.rpartition("/")[2].lower()).strip("_") or "tag"
    return f"{name}_" if name in OWN_COLUMNS else name


def _columns(
    kind: _Kind, tables: Sequence[TaggedTable], tags: Vocabulary, places: Mapping[str, int]
) -> Iterator[EntityColumn]:
    named: dict[str, list[str]] = {}
    for table in tables:
        for tag in table.tags:
            if _is_in(tag, kind) and tag not in named.setdefault(column_name(tag), []):
                named[column_name(tag)].append(tag)
    for name in sorted(named, key=lambda name: _place(named[name][0], tags, places)):
        origins = tuple(origin for table in tables if (origin := _origin(table, named[name])).columns)
        yield EntityColumn(name, tuple(named[name]), _type(named[name], origins, tags), origins)


def _place(tag: str, tags: Vocabulary, places: Mapping[str, int]) -> tuple[int, str]:
    """As in semantic_tags.yaml, so that a view's columns do not move about with the tables."""
    found = tags.find(tag)
    return (places[found.name] if found else len(places)), tag


def _origin(table: TaggedTable, tags: Sequence[str]) -> Origin:
    return Origin(table, tuple(column for column in table.columns if set(column.tags) & set(tags)))


def _type(tags: Sequence[str], origins: Sequence[Origin], known: Vocabulary) -> ColumnType:
    """The tag's own; for a key text, because sources' keys differ; else the columns' own if they agree, or text."""
    said = next((found.type for found in map(known.find, tags) if found and found.type), None)
    if said:
        return said
    types = {column.type for origin in origins for column in origin.columns}
    keys = any(_is_key(tag) or tag.startswith(("sk-", "bk-")) for tag in tags)
    return parse_type(types.pop()) if len(types) == 1 and not keys else ColumnType("string")


def entity_sql(entity: Entity) -> str:
    """The view's SELECT. Tables are named with their schema alone: so they are found wherever the file is opened."""
    nothing = [f"NULL::{duck_type(column.type)} AS {quote(column.name)}" for column in entity.columns]
    values = {(table.schema, table.name): list(nothing) for table in entity.tables}
    for place, column in enumerate(entity.columns):
        for one in column.origins:
            values[one.table.schema, one.table.name][place] = f"{value_sql(column, one)} AS {quote(column.name)}"
    tables = "\nUNION ALL\n".join(_table_sql(table, values[table.schema, table.name]) for table in entity.tables)
    names = ", ".join(quote(name) for name in (*OWN_COLUMNS, *(column.name for column in entity.columns)))
    return f"SELECT {names} FROM (\n{tables}\n)"


def _table_sql(table: TaggedTable, values: Sequence[str]) -> str:
    own = [text(table.schema), text(table.name), key_text(table.primary_key)]
    made = [f"{value} AS {name}" for value, name in zip(own, OWN_COLUMNS, strict=True)]
    return f"SELECT {', '.join([*made, *values])} FROM {quote(table.schema)}.{quote(table.name)}"


def value_sql(column: EntityColumn, origin: Origin) -> str:
    """The first of the columns that has a value. One of another type is cast, and null where that cannot be done."""
    values = [_cast(one, column.type) for one in origin.columns]
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _cast(column: Tagged, wanted: ColumnType) -> str:
    name = quote(column.name)
    same = duck_type(parse_type(column.type)) == duck_type(wanted)
    return name if same else f"TRY_CAST({name} AS {duck_type(wanted)})"


def entities_of(project: Project, stores: Collection[str] = ()) -> tuple[Entity, ...]:
    """The views of a project whose feeds are all loaded, from its YAML.

    stores: couriers of fleets that take part; of a fleet with none of them, the first store stands for all.
    """
    tags = vocabulary(project.tags)
    return tuple(entities(_tables_of(project, stores, tags), tags))


def _tables_of(project: Project, stores: Collection[str], tags: Vocabulary) -> Iterator[TaggedTable]:
    members = map(project.members, dict.fromkeys(one.fleet or one.name for one in project.couriers.values()))
    names = [name for own in members for name in ([one for one in own if one in stores] or own[:1])]
    for courier in map(project.courier_of, names):
        for feed in courier.feeds:
            tagged = tuple(
                Tagged(column.name, str(column.type), tuple(map(tags.canonical, column.tags)), column.pii)
                for column in feed.table.columns
                if column.tags
            )
            if tagged:
                yield TaggedTable(courier.name, feed.table.name, feed.table.primary_key, tagged)


def grouped(rows: Iterable[tuple[str, str, int, str, str, str, bool, Sequence[str]]]) -> Iterator[TaggedTable]:
    """Tables from sorted rows of schema, table, position, tag, column, its type, pii, and the table's key."""
    for (schema, name), own in groupby(rows, key=lambda row: row[:2]):
        found = list(own)
        columns = tuple(_tagged(list(one)) for _, one in groupby(found, key=lambda row: row[2]))
        yield TaggedTable(schema, name, tuple(found[0][7]), columns)


def _tagged(rows: Sequence[tuple[str, str, int, str, str, str, bool, Sequence[str]]]) -> Tagged:
    (_, _, _, _, name, kind, pii, _), *_ = rows
    return Tagged(name, kind, tuple(row[3] for row in rows), pii)
