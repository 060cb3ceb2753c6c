"""Which groups' runs have ended since one looked last, whoever ran them: what waits for them is asked again.

Rows of the history are added, and change once, when they end: the new ones and those that were open are all to look
at, so a history of years costs nothing.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from courier.clock import rfc3339


class Endings:
    def __init__(self, history: Path) -> None:
        self._path = history
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._last_row = 0
        self._open: set[int] = set()

    def look(self) -> set[str]:
        """The groups with runs that have ended since the last look. The first look is at all that is not old."""
        connection = self._connected()
        if connection is None:
            return set()
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return set()
        self._version = version
        return {group for rowid, group, ended in self._rows(connection) if self._is_news(rowid, ended)}

    def _rows(self, connection: sqlite3.Connection) -> list[tuple[int, str, bool]]:
        places = ", ".join(map(str, sorted(self._open)))
        return connection.execute(
            'SELECT rowid, "group", ended IS NOT NULL FROM group_run'
            f" WHERE rowid > ? OR rowid IN ({places}) ORDER BY rowid",
            (self._last_row,),
        ).fetchall()

    def _is_news(self, rowid: int, ended: bool) -> bool:
        self._last_row = max(self._last_row, rowid)
        if ended:
            self._open.discard(rowid)
        else:
            self._open.add(rowid)
        return ended

    def _connected(self) -> sqlite3.Connection | None:
        if self._connection is None and self._path.exists():
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'group_run'").fetchone():
                connection.close()
                return None
            self._connection = connection
            self._last_row = connection.execute("SELECT coalesce(max(rowid), 0) FROM group_run").fetchone()[0]
            self._open = {row[0] for row in connection.execute("SELECT rowid FROM group_run WHERE ended IS NULL")}
        return self._connection

    def unfinished(self) -> list[str]:
        """The runs that the history takes for running, oldest first."""
        connection = self._connected()
        if connection is None:
            return []
        return [row[0] for row in connection.execute("SELECT run FROM group_run WHERE ended IS NULL ORDER BY rowid")]

    def latest(self, group: str, scheduled: datetime) -> str | None:
        """The group's latest run for this instant."""
        return next(iter(self._runs_for(group, scheduled, "")), None)

    def killed(self, group: str, scheduled: datetime) -> int:
        """How many runs for this instant were killed."""
        return len(self._runs_for(group, scheduled, "AND result = 'killed'"))

    def _runs_for(self, group: str, scheduled: datetime, also: str) -> list[str]:
        connection = self._connected()
        if connection is None:
            return []
        where = f"""WHERE "group" = ? AND scheduled = ? AND "trigger" = 'schedule' {also} ORDER BY rowid DESC"""
        rows = connection.execute(f"SELECT run FROM group_run {where}", (group, rfc3339(scheduled)))
        return [row[0] for row in rows]

    def close(self) -> None:
        if self._connection:
            self._connection.close()
