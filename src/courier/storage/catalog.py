"""What the warehouse says of its tables: keys, columns, semantic tags, and why a column is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from courier.clock import rfc3339
from courier.config.project import Column
from courier.config.vocabulary import Vocabulary
from courier.storage.connection import Connection
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.load import FeedLoad, RunRecord
from courier.storage.tables import Prepared

NOT_LOADED_BEFORE = "not_loaded_before"


def describe(connection: Connection, prepared: Prepared, load: FeedLoad, run: RunRecord, tags: Vocabulary) -> bool:
    """Bring the ledger's description of a table up to date. Returns whether anything was different."""
    target = prepared.target
    where = [target.schema, target.table.name]
    columns = target.table.columns
    family = target.family
    key = [list(target.table.primary_key), target.table.parent, family.column if family else None]
    described: dict[str, list[list[Any]]] = {
        "domain_table": [[*where, *key, target.table.last_updated]],
        "domain_column": [[*where, c.name, place, str(c.type), c.pii] for place, c in enumerate(columns, 1)],
        "semantic_tag": [
            [*where, column.name, tag, _tag_type(column, tag, tags), column.pii]
            for column in columns
            for tag in dict.fromkeys(map(tags.canonical, column.tags))
        ],
        "column_status": [[*where, *status] for status in _statuses(connection, prepared, load, run)],
    }
    different = [_replace(connection, table, where, rows) for table, rows in described.items()]
    return any(different)


def _replace(connection: Connection, table: str, where: Sequence[str], rows: list[list[Any]]) -> bool:
    condition = "schema_name = ? AND table_name = ?"
    there = connection.execute(f"SELECT * FROM {LEDGER}.{table} WHERE {condition}", where).fetchall()
    if sorted(map(repr, rows)) == sorted(repr(list(row)) for row in there):
        return False
    connection.execute(f"DELETE FROM {LEDGER}.{table} WHERE {condition}", where)
    insert_rows(connection, table, rows)
    return True


def _tag_type(column: Column, name: str, tags: Vocabulary) -> str:
    tag = tags.find(name)
    return str(tag.type if tag is not None and tag.type is not None else column.type)


def _statuses(connection: Connection, prepared: Prepared, load: FeedLoad, run: RunRecord) -> list[tuple[str, str, str]]:
    """(column, reason, detail). A column that begins to have values says since when, until it is loaded whole."""
    table = prepared.target.table
    current = [(s.column, s.reason, s.detail) for s in run.statuses if s.feed == table.name]
    said = {column for column, *_ in current}
    current += [(c.name, c.unavailable, "") for c in table.columns if c.unavailable and c.name not in said]
    query = f"SELECT column_name, reason, detail FROM {LEDGER}.column_status WHERE {prepared.target.which}"
    before = connection.execute(query).fetchall()
    null_now = {column for column, *_ in current}
    if load.whole:
        return current
    late = {column: detail for column, reason, detail in before if reason == NOT_LOADED_BEFORE}
    returned = {column for column, reason, _ in before if reason != NOT_LOADED_BEFORE} - null_now
    since = f"Rows fetched before {rfc3339(load.request.until) if load.request.until else run.started} lack it."
    for column in [*prepared.added, *sorted(returned)]:
        late.setdefault(column, since)
    names = {column.name for column in table.columns} - null_now
    return current + [(column, NOT_LOADED_BEFORE, detail) for column, detail in late.items() if column in names]
