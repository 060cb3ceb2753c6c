"""From the journal into the tables of the warehouse, where people ask with SQL what left and what came back."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime
from typing import Any

import orjson

from courier import clock
from courier.activations.journal import Journal
from courier.storage.activation_ledger import Entries, copy_journal
from courier.storage.warehouse import Files

_MARK = """
SELECT (SELECT count(*) FROM run) || ':' || (SELECT count(*) FROM run WHERE ended IS NOT NULL) || ':'
    || (SELECT coalesce(max(id), 0) FROM egress) || ':' || (SELECT coalesce(max(id), 0) FROM outcome) || ':'
    || (SELECT coalesce(max(at), '') FROM known)
"""
_RUNS = """
SELECT run, activation, group_run, result, plan_hash, as_of, started, ended, credits_low, credits_high,
    (SELECT coalesce(sum(credits), 0) FROM outcome WHERE outcome.run = run.run), problem
FROM run
"""
_ITEMS = 'SELECT activation, "key", name, state, remote_id, payload_hash, credits, run, at FROM known ORDER BY at'
_EGRESS = 'SELECT id, run, activation, "key", at, method, path, body FROM egress WHERE id > ? ORDER BY id'
_RESULTS = """
SELECT id, run, activation, "key", name, action, state, remote_id, at, credits, output, problems
FROM outcome WHERE id > ? ORDER BY id
"""


def bring_tables_up_to_date(journal: Journal, files: Files) -> list[str]:
    """Copy what the warehouse lacks, and publish it; nothing is opened where it lacks nothing.

    A kill between the two leaves the mark as it was, so that it is done again. Returns warnings.
    """
    if not journal.path.exists() or not files.private.exists():
        return []
    place = str(files.private.stat().st_ino)  # of another file nothing is known
    with journal.opened() as connection:
        mark = f"{place}:{connection.execute(_MARK).fetchone()[0]}"
        if _kept(connection, "copied") == mark:
            return []
        name = _name(connection)
    warnings = copy_journal(files, name, lambda egress, results: _entries(journal, name, egress, results))
    with journal.opened() as connection:
        connection.execute("INSERT OR REPLACE INTO kept VALUES ('copied', ?)", [mark])
    return warnings


def _kept(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM kept WHERE name = ?", [name]).fetchone()
    return str(row[0]) if row else None


def _name(connection: sqlite3.Connection) -> str:
    """The journal's own: entries of one that somebody has deleted are not taken for its."""
    name = _kept(connection, "name") or f"{clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    connection.execute("INSERT OR IGNORE INTO kept VALUES ('name', ?)", [name])
    return name


def _entries(journal: Journal, name: str, egress: str, results: str) -> Entries:
    with journal.opened() as connection:
        connection.row_factory = None
        return Entries(
            runs=[_typed(row, times=(5, 6, 7)) for row in connection.execute(_RUNS)],
            items=list({row[:2]: _typed(row, times=(8,)) for row in connection.execute(_ITEMS)}.values()),
            egress=[_named(name, row, 4) for row in connection.execute(_EGRESS, [_number(name, egress)])],
            results=[_result(name, row) for row in connection.execute(_RESULTS, [_number(name, results)])],
        )


def _number(name: str, entry: str) -> int:
    """The number of an entry of this journal; of another one's, before its first."""
    return int(entry.rpartition("-")[2]) if entry.startswith(f"{name}-") else 0


def _named(name: str, row: tuple[Any, ...], time: int) -> list[Any]:
    return [f"{name}-{row[0]:012d}", *_typed(row, times=(time,))[1:]]


def _result(name: str, row: tuple[Any, ...]) -> list[Any]:

    *rest, problems = _named(name, row, 8)
    return [*rest, orjson.loads(problems)]


def _typed(row: tuple[Any, ...], times: tuple[int, ...]) -> list[Any]:
    return [datetime.fromisoformat(value) if place in times and value else value for place, value in enumerate(row)]
