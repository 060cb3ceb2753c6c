"""From the journal into the tables of the warehouse, where people ask with SQL what left and what came back.

In Postgres, where the journal is beside them, they are views of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from courier.activations.journal import Journal
from courier.storage.activation_ledger import Entries, copy_journal
from courier.storage.journal_store import Statements
from courier.storage.journal_tables import OF_LEDGER, new_name
from courier.storage.ledger_tables import types_in_ledger
from courier.storage.warehouse import Files, Warehouse

_MARK = """
SELECT (SELECT count(*) FROM run) || ':' || (SELECT count(*) FROM run WHERE ended IS NOT NULL) || ':'
    || (SELECT coalesce(max(id), 0) FROM egress) || ':' || (SELECT coalesce(max(id), 0) FROM outcome) || ':'
    || (SELECT coalesce(max(at), '') FROM known) AS mark
"""


def bring_tables_up_to_date(journal: Journal, warehouse: Warehouse) -> list[str]:
    """Copy what DuckDB's file lacks, and publish it; nothing is opened where it lacks nothing.

    A kill between the two leaves the mark as it was, so that it is done again. Returns warnings.
    """
    if not isinstance(warehouse, Files) or not warehouse.private.exists():
        return []
    place = str(warehouse.private.stat().st_ino)  # of another file nothing is known
    with journal.store.reading() as connection:
        if connection is None:
            return []
        mark = f"{place}:{connection.execute(_MARK)[0]['mark']}"
        if _kept(connection, "copied") == mark:
            return []
        name = name_of_journal(connection)
    warnings = copy_journal(warehouse, name, lambda egress, results: _entries(journal, egress, results))
    with journal.opened() as connection:
        query = "INSERT INTO kept VALUES ('copied', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        connection.execute(query, [mark])
    return warnings


def _kept(connection: Statements, name: str) -> str | None:
    rows = connection.execute("SELECT value FROM kept WHERE name = ?", [name])
    return next((str(row["value"]) for row in rows), None)


def name_of_journal(connection: Statements) -> str:
    """The journal's own: entries of one that somebody has deleted are not taken for its."""
    name = _kept(connection, "name") or new_name()
    connection.execute("INSERT INTO kept VALUES ('name', ?) ON CONFLICT (name) DO NOTHING", [name])
    return name


def _entries(journal: Journal, egress: str, results: str) -> Entries:
    with journal.opened() as connection:
        return Entries(
            runs=_rows(connection, "activation_run"),
            items=_rows(connection, "activation_item"),
            egress=_rows(connection, "egress", egress),
            results=_rows(connection, "activation_result", results),
        )


def _rows(connection: Statements, table: str, after: str | None = None) -> list[list[Any]]:
    """`after`: only entries after this one; "" is before the first."""
    only = "" if after is None else " WHERE id > ? ORDER BY id"
    number = [] if after is None else [int(after.rpartition("-")[2]) if after else 0]
    types = types_in_ledger(table)
    return [_typed(row, types) for row in connection.execute(OF_LEDGER[table] + only, number)]


def _typed(row: Mapping[str, Any], types: Mapping[str, str]) -> list[Any]:
    return [_value(row[name], kind) for name, kind in types.items()]


def _value(value: Any, kind: str) -> Any:
    if kind == "TIMESTAMPTZ" and value is not None:
        return datetime.fromisoformat(value)
    return orjson.loads(value) if kind == "VARCHAR[]" else value
