"""The views over all stores of one courier: `shopify.order` is every store's order table, with the store's name first.

A store's own tables stand in its own schema, shopify_uk. The schema of the courier's own name holds no table: only
these, made anew when a store, a table or a column comes or goes. SQL that was written for one store reads all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from courier.config.column_types import parse_type
from courier.config.project import Fleet
from courier.storage.connection import Connection
from courier.storage.duck import duck_type, quote, text
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.postgres.session import Session
from courier.storage.semantic import LOCK
from courier.storage.tables import existing
from courier.storage.view_making import drop_view, make_view
from courier.storage.warehouse import PRIVATE

STORE = "store"
"""The column that says whose a row is."""
_OWN = {"_fetched_at": "TIMESTAMPTZ", "_run": "VARCHAR"}
Columns: TypeAlias = Mapping[str, Mapping[str, str]]
"""Schema -> the columns that a table, or a view, has there, with DuckDB's types."""


def settle(connection: Connection, fleet: Fleet, version: str | None, described: bool) -> bool:
    """Make, renew and drop the fleet's views, in the running transaction. Returns whether any is other than before.

    described: whether the description of a table or view has just changed; if not, and `version` of courier made the
    views over the same stores, they are not looked at.
    """
    known = _known(connection, fleet)
    stamp = f"{version} {_digest(str(sorted(fleet.stores.items())))} "
    if known and not described and all(found.startswith(stamp) for found in known.values()):
        return False
    if isinstance(connection, Session):
        connection.locks_until_commit(LOCK)
        known = _known(connection, fleet)
    there = {} if is_taken(connection, fleet) else _relations(connection, fleet)
    made = {name: union_sql(fleet, name, own) for name, own in sorted(there.items())}
    # The types too: DuckDB keeps those that the tables had when the view was made, and fails when they change.
    wanted = {name: stamp + _digest(f"{sql} {there[name]}") for name, sql in made.items()}
    if known == wanted:
        return False
    problems = _make(connection, fleet, made, sorted(known))
    connection.execute(f"DELETE FROM {LEDGER}.view WHERE schema_name = ?", [fleet.name])
    rows = [[fleet.name, name, fleet.path, found, problems[name]] for name, found in wanted.items()]
    insert_rows(connection, "view", rows)
    return True


def _known(connection: Connection, fleet: Fleet) -> dict[str, str]:
    query = f"SELECT view_name, fingerprint FROM {LEDGER}.view WHERE schema_name = ?"
    return dict(connection.execute(query, [fleet.name]).fetchall())


def is_taken(connection: Connection, fleet: Fleet) -> bool:
    """Whether the schema holds tables, of a courier of this name that had one store."""
    query = f"SELECT 1 FROM {LEDGER}.domain_table WHERE schema_name = ? LIMIT 1"
    return connection.execute(query, [fleet.name]).fetchone() is not None


def _digest(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _relations(connection: Connection, fleet: Fleet) -> Mapping[str, Columns]:
    """The tables and views of all stores, by name."""
    tables = f"""
        SELECT schema_name, table_name, string_agg(column_name || ' ' || type, ';' ORDER BY position)
        FROM {LEDGER}.domain_column GROUP BY schema_name, table_name ORDER BY schema_name, table_name
    """
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for schema, name, columns in connection.execute(tables).fetchall():
        if schema in fleet.stores:
            found.setdefault(name, {})[schema] = _typed(columns)
    for schema, name, types in _views(connection, fleet):
        found.setdefault(name, {})[schema] = types
    return found


@lru_cache(maxsize=1024)
def _typed(columns: str) -> Mapping[str, str]:
    """`id string;price decimal(19,4)` with DuckDB's types: most stores have the same."""
    words = (column.partition(" ") for column in columns.split(";"))
    return {name: duck_type(parse_type(kind)) for name, _, kind in words} | _OWN


def _views(connection: Connection, fleet: Fleet) -> list[tuple[str, str, Mapping[str, str]]]:
    query = f"SELECT schema_name, view_name FROM {LEDGER}.view WHERE problem = '' ORDER BY schema_name, view_name"
    views = [(schema, name) for schema, name in connection.execute(query).fetchall() if schema in fleet.stores]
    there = existing(connection, *{schema: None for schema, _ in views}) if views else {}
    return [(schema, name, there[schema, name]) for schema, name in views if (schema, name) in there]


def union_sql(fleet: Fleet, name: str, there: Columns, inside: str = "") -> str:
    """One SELECT over the stores that have the table. `inside`: the database, where another one is in use."""
    types: dict[str, str] = {}
    for own in sorted(there.values(), key=len, reverse=True):
        types = types | {column: kind for column, kind in own.items() if column not in types}
    every = [column for column in types if column not in (STORE, *_OWN)] + [
        column for column in _OWN if column in types
    ]
    prefix = f"{quote(inside)}." if inside else ""
    parts = []
    for schema, own in there.items():
        columns = [quote(one) if one in own else f"NULL::{types[one]} AS {quote(one)}" for one in every]
        first = f"{text(fleet.stores[schema])} AS {STORE}"
        parts.append(f"SELECT {', '.join([first, *columns])} FROM {prefix}{quote(schema)}.{quote(name)}")
    return "\nUNION ALL\n".join(parts)


def _make(connection: Connection, fleet: Fleet, made: Mapping[str, str], gone: Sequence[str]) -> dict[str, str]:
    """View -> why it cannot be made, "" if it can."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PRIVATE}.{quote(fleet.name)}")
    for view in gone:
        drop_view(connection, fleet.name, view)
    return {
        view: make_view(connection, fleet.name, view, sql, f"{view} of all stores of {fleet.path}")
        for view, sql in made.items()
    }
