"""What the warehouse says of its tables: keys, columns, semantic tags, and why a column is null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from courier.clock import rfc3339
from courier.config.project import Column, SemanticTag
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.load import FeedLoad, RunRecord
from courier.storage.tables import Prepared

if TYPE_CHECKING:
    from courier.storage.duck import Connection

NOT_LOADED_BEFORE = "not_loaded_before"


def describe(
    connection: Connection, prepared: Prepared, load: FeedLoad, run: RunRecord, tags: Sequence[SemanticTag]
) -> bool:
    """Bring the ledger's description of a table up to date. Returns whether anything was different."""
    target = prepared.target
    where = [target.schema, target.table.name]
    columns = target.table.columns
    family = target.family
    key = [list(target.table.primary_key), target.table.parent, family.column if family else None]
    described: dict[str, list[list[Any]]] = {
        "domain_table": [[*where, *key, target.table.last_updated]],
        "domain_column": [[*where, c.name, place, str(c.type), _pii(c, tags)] for place, c in enumerate(columns, 1)],
        "semantic_tag": [
            [*where, column.name, tag, _tag_type(column, tag, tags), _pii(column, tags)]
            for column in columns
            for tag in column.tags
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


def _tag_type(column: Column, name: str, tags: Sequence[SemanticTag]) -> str:
    tag = _tag(name, tags)
    return str(tag.type if tag is not None and tag.type is not None else column.type)


def _pii(column: Column, tags: Sequence[SemanticTag]) -> bool:
    found = [_tag(name, tags) for name in column.tags]
    return column.pii or any(tag is not None and tag.pii for tag in found)


def _tag(name: str, tags: Sequence[SemanticTag]) -> SemanticTag | None:
    return next((tag for tag in tags if name in (tag.name, *tag.aliases) or _is_kind_of(name, tag.name)), None)


def _is_kind_of(name: str, pattern: str) -> bool:
    """`fk-*`: the only pattern there is. (fnmatch compiles each of 195 names to a regular expression, for 37 ms.)"""
    return pattern.endswith("*") and name.startswith(pattern[:-1])


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
