"""The views over all stores of one courier: `shopify.order` is every store's order table, with the store's name first.

A store's own tables stand in its own schema, shopify_uk. The schema of the courier's own name holds no table: only
these, made anew when a store, a table or a column comes or goes. SQL that was written for one store reads all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from courier.config.project import Fleet
from courier.storage.duck import quote, text
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.warehouse import PRIVATE

if TYPE_CHECKING:
    from courier.storage.duck import Connection

STORE = "store"
"""The column that says whose a row is."""
_OWN = ("_fetched_at", "_run")
Columns: TypeAlias = Mapping[str, Sequence[str]]
"""Schema -> the columns that a table has there; none for a view, which is taken with all of its columns."""


def settle(connection: Connection, fleet: Fleet, version: str | None, described: bool) -> bool:
    """Make, renew and drop the fleet's views, in the running transaction. Returns whether any is other than before.

    described: whether the description of a table or view has just changed; if not, and `version` of courier made the
    views over the same stores, they are not looked at.
    """
    query = f"SELECT view_name, fingerprint FROM {LEDGER}.view WHERE schema_name = ?"
    known = dict(connection.execute(query, [fleet.name]).fetchall())
    stamp = f"{version} {_digest(str(sorted(fleet.stores.items())))} "
    if known and not described and all(found.startswith(stamp) for found in known.values()):
        return False
    made = {} if is_taken(connection, fleet) else dict(_made(connection, fleet))
    wanted = {name: stamp + _digest(sql) for name, sql in made.items()}
    if known == wanted:
        return False
    _make(connection, fleet, made, sorted(known))
    connection.execute(f"DELETE FROM {LEDGER}.view WHERE schema_name = ?", [fleet.name])
    insert_rows(connection, "view", [[fleet.name, name, fleet.path, found, ""] for name, found in wanted.items()])
    return True


def is_taken(connection: Connection, fleet: Fleet) -> bool:
    """Whether the schema holds tables, of a courier of this name that had one store."""
    query = f"SELECT 1 FROM {LEDGER}.domain_table WHERE schema_name = ? LIMIT 1"
    return connection.execute(query, [fleet.name]).fetchone() is not None


def _digest(told: str) -> str:
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _made(connection: Connection, fleet: Fleet) -> Iterator[tuple[str, str]]:
    for name, there in sorted(_relations(connection, fleet).items()):
        yield name, union_sql(fleet, name, there)


def _relations(connection: Connection, fleet: Fleet) -> Mapping[str, Columns]:
    """The tables and views of all stores, by name."""
    tables = f"""
        SELECT schema_name, table_name, string_agg(column_name, ',' ORDER BY position)
        FROM {LEDGER}.domain_column GROUP BY schema_name, table_name ORDER BY schema_name, table_name
    """
    views = f"SELECT schema_name, view_name, '' FROM {LEDGER}.view WHERE problem = '' ORDER BY schema_name, view_name"
    found: dict[str, dict[str, Sequence[str]]] = {}
    for schema, name, columns in connection.execute(tables).fetchall() + connection.execute(views).fetchall():
        if schema in fleet.stores:
            found.setdefault(name, {})[schema] = (*columns.split(","), *_OWN) if columns else ()
    return found


def union_sql(fleet: Fleet, name: str, there: Columns, inside: str = "") -> str:
    """One SELECT over the stores that have the table. `inside`: the database, where another one is in use."""
    wanted = [column for own in sorted(there.values(), key=len, reverse=True) for column in own]
    every = [column for column in dict.fromkeys(wanted) if column not in (STORE, *_OWN)]
    every += [column for column in _OWN if column in wanted]
    prefix = f"{quote(inside)}." if inside else ""
    parts = []
    for schema, own in there.items():
        columns = f"{text(fleet.stores[schema])} AS {STORE}, {_list(own, every)}"
        parts.append(f"SELECT {columns} FROM {prefix}{quote(schema)}.{quote(name)}")
    return ("\nUNION ALL\n" if every else "\nUNION ALL BY NAME\n").join(parts)


def _list(own: Sequence[str], every: Sequence[str]) -> str:
    if not every:
        return "*"
    return ", ".join(quote(column) if column in own else f"NULL AS {quote(column)}" for column in every)


def _make(connection: Connection, fleet: Fleet, made: Mapping[str, str], gone: Sequence[str]) -> None:
    name = f"{PRIVATE}.{quote(fleet.name)}"
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    for view in gone:
        connection.execute(f"DROP VIEW IF EXISTS {name}.{quote(view)}")
    for view, sql in made.items():
        connection.execute(f"CREATE OR REPLACE VIEW {name}.{quote(view)} AS\n{sql}")
        meaning = f"{view} of all stores of {fleet.path}"
        connection.execute(f"COMMENT ON VIEW {name}.{quote(view)} IS {text(meaning)}")
