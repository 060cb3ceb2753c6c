"""What the warehouse says of its tables: keys, columns, semantic tags, and why a column is null."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from courier.clock import rfc3339
from courier.config.project import Column
from courier.config.vocabulary import Vocabulary
from courier.storage.connection import Connection
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.load import FeedLoad, RunRecord
from courier.storage.tables import Prepared

NOT_LOADED_BEFORE = "not_loaded_before"
_TABLES = ("domain_table", "domain_column", "semantic_tag", "column_status")


Known = Mapping[str, Mapping[str, Sequence[tuple[Any, ...]]]]
"""What the ledger says of a schema's tables: ledger table -> domain table -> its rows."""


def known(connection: Connection, schema: str) -> Known:
    """Read at once: a question for each of 13 tables and four ledger tables takes 25 ms."""
    return {table: _by_name(connection, table, schema) for table in _TABLES}


def _by_name(connection: Connection, table: str, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    query = f"SELECT table_name, * FROM {LEDGER}.{table} WHERE schema_name = ?"
    found: dict[str, list[tuple[Any, ...]]] = {}
    for name, *row in connection.execute(query, [schema]).fetchall():
        found.setdefault(name, []).append(tuple(row))
    return found


def describe(
    connection: Connection, before: Known, prepared: Prepared, load: FeedLoad, run: RunRecord, tags: Vocabulary
) -> bool:
    """Bring the ledger's description of a table up to date. Returns whether anything was different.

    before: what `known` says of its schema.
    """
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
        "column_status": [[*where, *status] for status in _statuses(before, prepared, load, run)],
    }
    there = {table: before[table].get(target.table.name, ()) for table in described}
    different = [table for table, rows in described.items() if _sorted(rows) != _sorted(there[table])]
    for table in different:
        connection.execute(f"DELETE FROM {LEDGER}.{table} WHERE {target.which}")
        insert_rows(connection, table, described[table])
    return bool(different)


def _sorted(rows: Iterable[Sequence[Any]]) -> list[str]:
    return sorted(repr(list(row)) for row in rows)


def _tag_type(column: Column, name: str, tags: Vocabulary) -> str:
    tag = tags.find(name)
    return str(tag.type if tag is not None and tag.type is not None else column.type)


def _statuses(before: Known, prepared: Prepared, load: FeedLoad, run: RunRecord) -> list[tuple[str, str, str]]:
    """(column, reason, detail). A column that begins to have values says since when, until it is loaded whole."""
    table = prepared.target.table
    current = [(s.column, s.reason, s.detail) for s in run.statuses if s.feed == table.name]
    said = {column for column, *_ in current}
    current += [(c.name, c.unavailable, "") for c in table.columns if c.unavailable and c.name not in said]
    told = [row[2:] for row in before["column_status"].get(table.name, ())]
    null_now = {column for column, *_ in current}
    if load.whole:
        return current
    late = {column: detail for column, reason, detail in told if reason == NOT_LOADED_BEFORE}
    returned = {column for column, reason, _ in told if reason != NOT_LOADED_BEFORE} - null_now
    since = f"Rows fetched before {rfc3339(load.request.until) if load.request.until else run.started} lack it."
    for column in [*prepared.added, *sorted(returned)]:
        late.setdefault(column, since)
    names = {column.name for column in table.columns} - null_now
    return current + [(column, NOT_LOADED_BEFORE, detail) for column, detail in late.items() if column in names]
