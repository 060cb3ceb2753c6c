"""The run history: SQLite, so that `courier status` answers at once and while a run is under way.

It says what was tried. What is committed is told by the ledger in the warehouse.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from courier.runtime.place import private_folder

if TYPE_CHECKING:
    from courier.runtime.events import Event

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    run TEXT PRIMARY KEY, courier TEXT NOT NULL, "group" TEXT, scheduled TEXT NOT NULL, started TEXT NOT NULL,
    ended TEXT, result TEXT NOT NULL, problem TEXT, fix TEXT, report TEXT
);
CREATE TABLE IF NOT EXISTS event (run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_run ON event (run);
"""


@dataclass(frozen=True)
class PastCourierRun:
    """One line of the history. `result` is running until it ends. `report` is what `run --json` says of the courier."""

    run: str
    courier: str
    group: str | None
    scheduled: str
    started: str
    ended: str | None
    result: str
    problem: str | None
    fix: str | None
    report: dict[str, Any] | None


class History:
    """state.db of one place. Every call is its own transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            self._make()
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            yield connection

    def _make(self) -> None:
        """The file with its tables, whole at once: the couriers of a group may all come first."""
        draft = private_folder(self._path.parent) / f"{self._path.name}.{secrets.token_hex(4)}"
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        with suppress(FileExistsError):
            os.link(draft, self._path)
        draft.unlink()

    def begin(self, run: str, courier: str, group: str | None, scheduled: str, started: str) -> None:
        with self._open() as connection:
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, NULL, 'running', NULL, NULL, NULL)"
                " ON CONFLICT (run) DO UPDATE SET result = 'running', ended = NULL, problem = NULL, fix = NULL",
                (run, courier, group, scheduled, started),
            )

    def end(self, run: str, ended: str, result: str, problem: str, fix: str, report: dict[str, Any]) -> None:
        with self._open() as connection:
            connection.execute(
                "UPDATE run SET ended = ?, result = ?, problem = ?, fix = ?, report = ? WHERE run = ?",
                (ended, result, problem or None, fix or None, orjson.dumps(report).decode(), run),
            )

    def keep(self, events: Sequence[Event]) -> None:
        """Store events, but for ticks of progress."""
        # Here, because `courier status` and `--help` need none of the 20 classes, which take 9 ms to make.
        from courier.runtime.events import Fetched, Waited, as_json

        kept = [as_json(event) for event in events if not isinstance(event, Fetched | Waited)]
        with self._open() as connection:
            connection.executemany(
                "INSERT INTO event VALUES (?, ?, ?, ?)",
                [(event["run"], event["at"], event["event"], orjson.dumps(event).decode()) for event in kept],
            )

    def runs(self, courier: str | None = None, limit: int = 20) -> list[PastCourierRun]:
        """The latest runs, newest first."""
        where, values = ("WHERE courier = ?", [courier]) if courier else ("", [])
        return self._query(f"{where} ORDER BY started DESC, run DESC LIMIT ?", [*values, limit])

    def find(self, run: str) -> PastCourierRun | None:
        return next(iter(self._query("WHERE run = ?", [run])), None)

    def last(self, courier: str, result: str | None = None) -> PastCourierRun | None:
        """The courier's latest run, or its latest with that result."""
        also, values = (" AND result = ?", [result]) if result else ("", [])
        return next(
            iter(self._query(f"WHERE courier = ?{also} ORDER BY started DESC LIMIT 1", [courier, *values])), None
        )

    def events(self, run: str) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute("SELECT body FROM event WHERE run = ? ORDER BY rowid", (run,)).fetchall()
        return [orjson.loads(body) for (body,) in rows]

    def _query(self, rest: str, values: Sequence[Any]) -> list[PastCourierRun]:
        if not self._path.exists():
            return []
        with self._open() as connection:
            rows = connection.execute(f"SELECT * FROM run {rest}", list(values)).fetchall()
        return [_past(row) for row in rows]


def _past(row: tuple[Any, ...]) -> PastCourierRun:
    report = orjson.loads(row[-1]) if row[-1] else None
    return PastCourierRun(*(*row[:-1], report))
