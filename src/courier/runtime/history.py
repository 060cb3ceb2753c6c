"""The run history: SQLite, so that `courier status` answers at once and while a run is under way.

It says what was tried. What is committed is told by the ledger in the warehouse.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from courier.clock import rfc3339
from courier.runtime.decide import PastRun
from courier.storage.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from courier.runtime.events import Event

_STEPS = (
    """
CREATE TABLE IF NOT EXISTS run (
    run TEXT PRIMARY KEY, courier TEXT NOT NULL, "group" TEXT, scheduled TEXT NOT NULL, started TEXT NOT NULL,
    ended TEXT, result TEXT NOT NULL, problem TEXT, fix TEXT, report TEXT
);
CREATE TABLE IF NOT EXISTS event (run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS event_run ON event (run);
""",
    """
CREATE TABLE group_run (
    run TEXT PRIMARY KEY, "group" TEXT NOT NULL, scheduled TEXT NOT NULL, "trigger" TEXT NOT NULL,
    started TEXT NOT NULL, ended TEXT, result TEXT NOT NULL, committed INTEGER NOT NULL, problem TEXT, fix TEXT,
    config TEXT NOT NULL, report TEXT
);
CREATE INDEX group_run_group ON group_run ("group", scheduled);
ALTER TABLE run ADD COLUMN group_run TEXT;
""",
    """
ALTER TABLE group_run ADD COLUMN retry_of TEXT;
ALTER TABLE group_run ADD COLUMN asked TEXT;
CREATE INDEX run_courier ON run (courier, started);
CREATE INDEX run_group_run ON run (group_run);
CREATE TABLE watermark (
    courier TEXT NOT NULL, feed TEXT NOT NULL, watermark TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (courier, feed)
);
INSERT OR REPLACE INTO watermark SELECT * FROM (
    SELECT run.courier, json_extract(feed.value, '$.feed') AS feed, json_extract(feed.value, '$.watermark') AS mark,
        run.run
    FROM run, json_each(run.report, '$.feeds') AS feed WHERE run.result = 'succeeded' ORDER BY run.ended
) WHERE mark IS NOT NULL;
""",
)


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
    group_run: str | None


@dataclass(frozen=True)
class PastGroupRun:
    """One run of a group. `scheduled` is its instant S; `trigger` is schedule, hand or retry.

    result:    running until it ends; then succeeded, failed, partial, blocked, covered, interrupted
    committed: every required courier has committed
    config:    changes with the project's files
    retry_of:  the run of this group that it goes on with, if it is a retry
    asked:     what was asked for besides: a period by hand, and what is allowed this once
    """

    run: str
    group: str
    scheduled: str
    trigger: str
    started: str
    ended: str | None
    result: str
    committed: bool
    problem: str | None
    fix: str | None
    config: str
    report: dict[str, Any] | None
    retry_of: str | None = None
    asked: dict[str, Any] | None = None


class History:
    """state.db of one place. Every call is its own transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with SqliteFile(self._path, _STEPS).opened() as connection:
            yield connection

    def begin(
        self, run: str, courier: str, group: str | None, scheduled: str, started: str, group_run: str | None = None
    ) -> None:
        with self._open() as connection:
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, NULL, 'running', NULL, NULL, NULL, ?)"
                " ON CONFLICT (run) DO UPDATE SET result = 'running', ended = NULL, problem = NULL, fix = NULL,"
                " group_run = excluded.group_run",
                (run, courier, group, scheduled, started, group_run),
            )

    def begin_group(
        self,
        run: str,
        group: str,
        scheduled: str,
        trigger: str,
        started: str,
        config: str,
        retry_of: str | None = None,
        asked: dict[str, Any] | None = None,
    ) -> None:
        with self._open() as connection:
            connection.execute(
                "INSERT INTO group_run VALUES (?, ?, ?, ?, ?, NULL, 'running', 0, NULL, NULL, ?, NULL, ?, ?)",
                (run, group, scheduled, trigger, started, config, retry_of, orjson.dumps(asked or {}).decode()),
            )

    def end_group(
        self, run: str, ended: str, result: str, problem: str, fix: str, report: dict[str, Any], *, committed: bool
    ) -> None:
        with self._open() as connection:
            connection.execute(
                "UPDATE group_run SET ended = ?, result = ?, committed = ?, problem = ?, fix = ?, report = ?"
                " WHERE run = ?",
                (ended, result, committed, problem or None, fix or None, orjson.dumps(report).decode(), run),
            )

    def end(self, run: str, ended: str, result: str, problem: str, fix: str, report: dict[str, Any]) -> None:
        with self._open() as connection:
            connection.execute(
                "UPDATE run SET ended = ?, result = ?, problem = ?, fix = ?, report = ? WHERE run = ?",
                (ended, result, problem or None, fix or None, orjson.dumps(report).decode(), run),
            )
            marks = [(feed["feed"], feed["watermark"]) for feed in report.get("feeds", ()) if feed.get("watermark")]
            connection.executemany(
                "INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)",
                [(report["courier"], feed, mark, run) for feed, mark in marks],
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

    def runs(self, courier: str | None = None, limit: int = 20, *, alone: bool = False) -> list[PastCourierRun]:
        """The latest runs of couriers, newest first. `alone`: only those that belong to no group's run."""
        where = "WHERE (?1 IS NULL OR courier = ?1)" + (" AND group_run IS NULL" if alone else "")
        return self._query(f"{where} ORDER BY started DESC, run DESC LIMIT ?2", [courier, limit])

    def group_runs(self, group: str | None = None, limit: int = 20) -> list[PastGroupRun]:
        """The latest runs of groups, newest first."""
        where, values = ('WHERE "group" = ?', [group]) if group else ("", [])
        return self._groups(f"{where} ORDER BY rowid DESC LIMIT ?", [*values, limit])

    def find_group(self, run: str) -> PastGroupRun | None:
        return next(iter(self._groups("WHERE run = ?", [run])), None)

    def couriers_of(self, group_run: str) -> list[PastCourierRun]:
        """The runs of couriers that belong to a group's run."""
        return self._query("WHERE group_run = ? ORDER BY rowid", [group_run])

    def members_of(self, run: PastGroupRun) -> dict[str, PastCourierRun]:
        """Courier -> its latest run in the group's run, or in those that it goes on with."""
        found: dict[str, PastCourierRun] = {}
        earlier: PastGroupRun | None = run
        while earlier is not None:
            for one in reversed(self.couriers_of(earlier.run)):
                found.setdefault(one.courier, one)
            earlier = self.find_group(earlier.retry_of) if earlier.retry_of else None
        return found

    def last_group(self, group: str, result: str | None = None) -> PastGroupRun | None:
        """The group's latest run, or its latest with that result."""
        also, values = (" AND result = ?", [result]) if result else ("", [])
        return next(iter(self._groups(f'WHERE "group" = ?{also} ORDER BY rowid DESC LIMIT 1', [group, *values])), None)

    def watermarks(self, courier: str) -> dict[str, str]:
        """Up to where each feed was loaded without a gap after its last run that committed."""
        if not self._path.exists():
            return {}
        with self._open() as connection:
            rows = connection.execute("SELECT feed, watermark FROM watermark WHERE courier = ?", [courier])
            return dict(rows.fetchall())

    def counting(self, groups: Iterable[str], since: datetime) -> tuple[PastRun, ...]:
        """The ended runs of groups that `decide` looks at, scheduled at `since` or later."""
        wanted = sorted(set(groups))
        places = ", ".join("?" for _ in wanted)
        # A day of room: instants are texts with or without microseconds, which sort one way and the other.
        found = self._groups(
            f'WHERE "group" IN ({places}) AND ended IS NOT NULL AND scheduled >= ?',
            [*wanted, rfc3339(since - timedelta(days=1))],
        )
        runs = (PastRun(one.group, datetime.fromisoformat(one.scheduled), one.committed) for one in found)
        return tuple(run for run in runs if run.scheduled >= since)

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
            connection.row_factory = sqlite3.Row
            rows = connection.execute(f"SELECT * FROM run {rest}", list(values)).fetchall()
        return [PastCourierRun(**{**row, "report": _report(row["report"])}) for row in rows]

    def _groups(self, rest: str, values: Sequence[Any]) -> list[PastGroupRun]:
        if not self._path.exists():
            return []
        with self._open() as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(f"SELECT * FROM group_run {rest}", list(values)).fetchall()
        return [
            PastGroupRun(
                **{
                    **row,
                    "committed": bool(row["committed"]),
                    "report": _report(row["report"]),
                    "asked": _report(row["asked"]),
                }
            )
            for row in rows
        ]


def _report(written: str | None) -> dict[str, Any] | None:
    return orjson.loads(written) if written else None
