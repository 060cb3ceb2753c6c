"""The tables of activations in the warehouse: a copy of the journal, brought up to date as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.ledger_tables import create_ledger
from courier.storage.tables import existing
from courier.storage.warehouse import Files, opened, publish

if TYPE_CHECKING:
    from courier.storage.connection import Connection


@dataclass(frozen=True)
class Entries:
    """Rows in the order of their tables' columns. runs and items are whole; egress and results are those that lack."""

    runs: Sequence[Sequence[Any]]
    items: Sequence[Sequence[Any]]
    egress: Sequence[Sequence[Any]]
    results: Sequence[Sequence[Any]]


def copy_journal(files: Files, journal: str, entries_after: Callable[[str, str], Entries]) -> list[str]:
    """Take over what the tables lack, all of it or none, and publish it.

    entries_after: what comes after this journal's last entries of egress and of results that are there ("" where none
    are). Those of a journal that somebody has deleted may stand beside them, and have a later name.
    Returns warnings for the person who runs it.
    """
    if not files.private.exists():
        return []
    with opened(files, threads=1) as connection:
        connection.execute("BEGIN TRANSACTION")
        create_ledger(connection, existing(connection))
        entries = entries_after(_last(connection, "egress", journal), _last(connection, "activation_result", journal))
        _replace(connection, "activation_run", "run = ?", 1, entries.runs)
        _replace(connection, "activation_item", "activation = ? AND key = ?", 2, entries.items)
        insert_rows(connection, "egress", entries.egress)
        insert_rows(connection, "activation_result", entries.results)
        connection.execute("COMMIT")
    return publish(files)


def _last(connection: Connection, table: str, journal: str) -> str:
    last = f"SELECT max(entry) FROM {LEDGER}.{table} WHERE starts_with(entry, ?)"
    row = connection.execute(last, [f"{journal}-"]).fetchone()
    return str(row[0]) if row and row[0] is not None else ""


def _replace(connection: Connection, table: str, where: str, keys: int, rows: Sequence[Sequence[Any]]) -> None:
    """`keys`: how many of the first columns identify a row."""
    for row in rows:
        connection.execute(f"DELETE FROM {LEDGER}.{table} WHERE {where}", list(row[:keys]))
    insert_rows(connection, table, rows)
