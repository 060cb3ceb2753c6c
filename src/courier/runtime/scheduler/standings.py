"""Where each group stands, on disk: scheduler.db of one place, written before anything is started."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from courier.clock import rfc3339
from courier.config.project import CourierGroup
from courier.runtime.place import private_folder
from courier.runtime.scheduler.in_hand import Standing

_TABLE = """
CREATE TABLE IF NOT EXISTS standing (
    "group" TEXT PRIMARY KEY, schedule TEXT NOT NULL, timezone TEXT NOT NULL,
    upto TEXT NOT NULL, hand TEXT, queued TEXT
)
"""


@dataclass(frozen=True)
class Kept:
    """A group's standing, and the schedule that it was reached with."""

    schedule: str
    timezone: str
    standing: Standing

    def is_of(self, group: CourierGroup) -> bool:
        return (self.schedule, self.timezone) == (group.schedule, group.timezone)


class Standings:
    """Every call is its own transaction."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE)

    def load(self) -> dict[str, Kept]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            rows = connection.execute("SELECT * FROM standing").fetchall()
        return {row[0]: Kept(row[1], row[2], Standing(_instant(row[3]), *map(_maybe, row[4:]))) for row in rows}

    def save(self, changed: Mapping[str, Kept], gone: Iterable[str] = ()) -> None:
        rows = [
            (name, kept.schedule, kept.timezone, rfc3339(kept.standing.upto),
             _text(kept.standing.hand), _text(kept.standing.queued))
            for name, kept in changed.items()
        ]  # fmt: skip
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            connection.executemany('DELETE FROM standing WHERE "group" = ?', [(name,) for name in gone])
            connection.executemany("INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)", rows)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(instant: datetime | None) -> str | None:
    return rfc3339(instant) if instant else None
