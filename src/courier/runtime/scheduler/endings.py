"""Which groups' runs have ended since one looked last, whoever ran them: what waits for them is asked again.

Rows of the history are added, and change once, when they end: the new ones and those that were open are all to look
at, so a history of years costs nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from courier.clock import now, rfc3339
from courier.runtime.decide import PastRun

SURELY_SECONDS = 15.0  # a change within the same tick of the disk's clock is seen as late as this
_FOR_FIRE = """SELECT run FROM group_run WHERE "group" = ? AND scheduled = ? AND "trigger" = 'schedule'"""
_ENDED = 'SELECT scheduled, committed FROM group_run WHERE "group" = ? AND scheduled >= ? AND ended IS NOT NULL'
_NO_STAMP: tuple[object, ...] = ()


class Endings:
    """Opens the history for each question: a connection may not be taken along into a fork."""

    def __init__(self, history: Path) -> None:
        self._path = history
        self._stamp = _NO_STAMP
        self._last_row: int | None = None
        self._open: set[int] = set()

    def look(self) -> set[str]:
        """The groups with runs that have ended since the last look. The first look only remembers."""
        stamp = self._seen()
        if stamp == self._stamp:
            return set()
        self._stamp = stamp
        with self._connected() as connection:
            if connection is None:
                return set()
            if self._last_row is None:
                self._remember(connection)
                return set()
            return {group for rowid, group, ended in self._rows(connection) if self._is_news(rowid, ended)}

    def _seen(self) -> tuple[object, ...]:
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return (int(now().timestamp() / SURELY_SECONDS), *map(_size_and_time, files))

    def _remember(self, connection: sqlite3.Connection) -> None:
        self._last_row = connection.execute("SELECT coalesce(max(rowid), 0) FROM group_run").fetchone()[0]
        self._open = {row[0] for row in connection.execute("SELECT rowid FROM group_run WHERE ended IS NULL")}

    def _rows(self, connection: sqlite3.Connection) -> list[tuple[int, str, bool]]:
        places = ", ".join(map(str, sorted(self._open)))
        return connection.execute(
            'SELECT rowid, "group", ended IS NOT NULL FROM group_run'
            f" WHERE rowid > ? OR rowid IN ({places}) ORDER BY rowid",
            (self._last_row,),
        ).fetchall()

    def _is_news(self, rowid: int, ended: bool) -> bool:
        self._last_row = max(self._last_row or 0, rowid)
        if ended:
            self._open.discard(rowid)
        else:
            self._open.add(rowid)
        return ended

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection | None]:
        """None where no group has ever run."""
        if not self._path.exists():
            yield None
            return
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'group_run'").fetchone()
            yield connection if known else None

    def unfinished(self) -> list[str]:
        """The runs that the history takes for running, oldest first."""
        with self._connected() as connection:
            if connection is None:
                return []
            rows = connection.execute("SELECT run FROM group_run WHERE ended IS NULL ORDER BY rowid")
            return [row[0] for row in rows]

    def latest(self, fires: Iterable[tuple[str, datetime]]) -> dict[str, str]:
        """Group -> its latest run for the instant, of those that have one."""
        with self._connected() as connection:
            if connection is None:
                return {}
            found = {}
            for group, scheduled in fires:
                rows = connection.execute(f"{_FOR_FIRE} ORDER BY rowid DESC LIMIT 1", (group, rfc3339(scheduled)))
                if row := rows.fetchone():
                    found[group] = row[0]
            return found

    def counting(self, asked: Mapping[str, tuple[Sequence[str], datetime]]) -> dict[str, tuple[PastRun, ...]]:
        """For each key, the ended runs of these groups that were scheduled since then: what `decide` looks at.

        All at once: ten thousand groups may fire together, and to open the history takes ten times as long as to ask.
        """
        with self._connected() as connection:
            if connection is None:
                return dict.fromkeys(asked, ())
            return {key: tuple(_counting(connection, *each)) for key, each in asked.items()}

    def killed(self, group: str, scheduled: datetime) -> int:
        """How many runs for this instant were killed."""
        with self._connected() as connection:
            if connection is None:
                return 0
            found = connection.execute(f"{_FOR_FIRE} AND result = 'killed'", (group, rfc3339(scheduled)))
            return len(found.fetchall())


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 - asked every second
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _counting(connection: sqlite3.Connection, groups: Sequence[str], since: datetime) -> Iterator[PastRun]:
    # A day of room: instants are texts with or without microseconds, which sort one way and the other.
    room = rfc3339(since - timedelta(days=1))
    for group in groups:
        for scheduled, committed in connection.execute(_ENDED, (group, room)).fetchall():
            if (instant := datetime.fromisoformat(scheduled)) >= since:
                yield PastRun(group, instant, bool(committed))
