"""The views of the schema `semantic`, in the warehouse: made anew when the tags or the tagged columns change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from courier.config.vocabulary import Vocabulary
from courier.storage.connection import Connection
from courier.storage.duck import quote
from courier.storage.entities import SCHEMA, Entity, TaggedTable, entities, entity_sql, grouped
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.postgres.session import Session
from courier.storage.view_making import drop_view, make_view
from courier.storage.warehouse import PRIVATE

LOCK = "courier semantic views"
"""Of a database: held by whoever makes views that span schemas."""
_PATH = "semantic_tags.yaml"


def tagged_tables(connection: Connection, ledger: str = LEDGER) -> tuple[TaggedTable, ...]:
    """What the ledger says of all schemas' tagged columns, in the tables' order."""
    query = f"""
        SELECT schema_name, table_name, position, tag, column_name, c.type, c.pii, primary_key
        FROM {ledger}.semantic_tag t
        JOIN {ledger}.domain_column c USING (schema_name, table_name, column_name)
        JOIN {ledger}.domain_table USING (schema_name, table_name)
    """
    # Sorted and grouped here: DuckDB would take twice as long for so few rows.
    return tuple(grouped(sorted(connection.execute(query).fetchall())))


def settle(connection: Connection, tags: Vocabulary, version: str | None, described: bool) -> bool:
    """Make, renew and drop the views, in the running transaction. Returns whether any is other than before.

    The views span what all couriers have loaded. described: whether the description of a table has just changed; if
    not, and courier's `version` is the one that made them, they are not looked at, which would take 4 ms. In Postgres
    couriers that commit at once do this one after another, so that the last one sees the tables of all.
    """
    known = _known(connection)
    if known and not described and all(found.startswith(f"{version} ") for found in known.values()):
        return False
    if isinstance(connection, Session):
        connection.locks_until_commit(LOCK)
        known = _known(connection)
    made = tuple(entities(tagged_tables(connection), tags))
    wanted = {entity.name: f"{version} {_fingerprint(entity_sql(entity))}" for entity in made}
    if known == wanted:
        return False
    problems = _make(connection, made, sorted(known))
    connection.execute(f"DELETE FROM {LEDGER}.view WHERE schema_name = ?", [SCHEMA])
    insert_rows(connection, "view", [[SCHEMA, name, _PATH, found, problems[name]] for name, found in wanted.items()])
    return True


def _known(connection: Connection) -> dict[str, str]:
    query = f"SELECT view_name, fingerprint FROM {LEDGER}.view WHERE schema_name = ?"
    return dict(connection.execute(query, [SCHEMA]).fetchall())


def _fingerprint(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()[:16]


def _make(connection: Connection, made: Sequence[Entity], gone: Sequence[str]) -> dict[str, str]:
    """Entity -> why its view cannot be made, "" if it can."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PRIVATE}.{quote(SCHEMA)}")
    for view in gone:
        drop_view(connection, SCHEMA, view)
    return {one.name: make_view(connection, SCHEMA, one.name, entity_sql(one), one.meaning) for one in made}
