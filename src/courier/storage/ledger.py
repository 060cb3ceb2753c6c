"""What the warehouse says about itself: runs, covered time, watermarks, identities, errors.

Every function that reads takes the project's warehouse, or a connection that `warehouse.opened` gave, so that one run
opens the private file once. All of them answer before anything was ever committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from courier import clock
from courier.clock import Interval
from courier.errors import ForeignData
from courier.storage import intervals
from courier.storage.connection import Connection
from courier.storage.duck import LITTLE_MEMORY, quote, text
from courier.storage.load import Counters, FeedLoad, RecordError, RunRecord
from courier.storage.warehouse import PRIVATE, Warehouse, has_ledger, reading

LEDGER = f"{PRIVATE}.courier"


@dataclass(frozen=True)
class LoadedRun:
    """A committed run, as `courier status` and `courier runs` show it."""

    run: str
    courier: str
    started: datetime
    committed_at: datetime
    load_id: str | None
    changed: bool


@dataclass(frozen=True)
class FeedRun:
    """What one committed run brought of a feed. Its period ends at `until` and is `length` long.

    whole: it listed everything, whatever its period, as `load: truncate` does.
    read: rows offered and records in error. fresh: rows that were new or newer; look-back reads the others once more.
    """

    feed: str
    run: str
    until: datetime
    length: timedelta
    whole: bool
    read: int
    fresh: int


def coverage(source: Warehouse | Connection, courier: str, feed: str) -> list[Interval]:
    """The intervals that a feed has loaded, merged, in order."""
    return _coverage(source, courier, [feed])[feed]


def gaps(source: Warehouse | Connection, courier: str, feeds: Iterable[str]) -> dict[str, list[Interval] | None]:
    """What each feed has never loaded of the time before its last covered instant; None: it was never loaded."""
    covered = _coverage(source, courier, list(feeds))
    return {feed: intervals.gaps(found) if found else None for feed, found in covered.items()}


def watermarks(source: Warehouse | Connection, courier: str, feeds: Iterable[str]) -> dict[str, datetime | None]:
    """P of each feed: the end of its contiguous coverage. None for a feed that was never loaded."""
    return {feed: intervals.watermark(found) for feed, found in _coverage(source, courier, list(feeds)).items()}


@dataclass(frozen=True)
class Standing:
    """How a courier stands before a run: P of each feed, and whose data its schema holds."""

    watermarks: Mapping[str, datetime | None]
    identity: str | None


def standing(source: Warehouse | Connection, courier: str, feeds: Iterable[str]) -> Standing:
    """`watermarks` and `bound_identity` in one opening, which costs 18 ms."""
    with reading(source, threads=1, memory=LITTLE_MEMORY) as connection:
        if connection is None:
            return Standing(dict.fromkeys(feeds), None)
        return Standing(watermarks(connection, courier, feeds), bound_identity(connection, courier))


def committed(source: Warehouse | Connection, run: str) -> bool:
    """Whether the run's rows are in the warehouse."""
    return bool(_rows(source, f"SELECT 1 FROM {LEDGER}.run WHERE run = ?", [run]))


def changes(source: Warehouse | Connection) -> int:
    """How many committed runs changed anything."""
    return next((int(count) for (count,) in _rows(source, f"SELECT count(*) FROM {LEDGER}.run WHERE changed", [])), 0)


def committed_since(source: Warehouse | Connection, courier: str, instant: datetime) -> str | None:
    """A run of the courier that has committed after the instant, if there is one."""
    query = f"SELECT run FROM {LEDGER}.run WHERE courier = ? AND committed_at > ? ORDER BY committed_at DESC LIMIT 1"
    return next((str(run) for (run,) in _rows(source, query, [courier, instant])), None)


def last_runs(source: Warehouse | Connection, courier: str | None = None, limit: int = 20) -> list[LoadedRun]:
    """The last committed runs, newest first."""
    query = (
        f"SELECT run, courier, started, committed_at, load_id, changed FROM {LEDGER}.run "
        "WHERE ? IS NULL OR courier = ? ORDER BY committed_at DESC, run DESC LIMIT ?"
    )
    return [LoadedRun(*row) for row in _rows(source, query, [courier, courier, limit])]


def recorded(source: Warehouse | Connection, run: str) -> dict[str, Counters]:
    """The counters of a committed run, by feed."""
    names = ", ".join(field.name for field in fields(Counters))
    query = f"SELECT feed, {names} FROM {LEDGER}.feed_run WHERE run = ?"
    return {feed: Counters(*counts) for feed, *counts in _rows(source, query, [run])}


def feed_history(source: Warehouse | Connection, courier: str, limit: int = 1000) -> dict[str, tuple[FeedRun, ...]]:
    """The last committed runs of each of a courier's feeds, in order of time.

    Only runs that took the watermark on to the end of their period: not the first one, which has no beginning, and not
    what somebody loaded by hand once more.
    """
    query = f"""
        SELECT feed, run, until, length, whole, read, fresh FROM (
        SELECT feed, run, period_until AS until, period_until - period_since AS length,
            request_since IS NULL AS whole, read, inserted + updated AS fresh,
            row_number() OVER (PARTITION BY feed ORDER BY period_until DESC, run DESC) AS recency
        FROM {LEDGER}.feed_run
        WHERE courier = ? AND period_since < period_until AND watermark = period_until
) WHERE recency <= ? ORDER BY feed, until, run
    """
    found: dict[str, list[FeedRun]] = {}
    for row in _rows(source, query, [courier, limit]):
        found.setdefault(row[0], []).append(FeedRun(*row))
    return {feed: tuple(runs) for feed, runs in found.items()}


def stored_columns(source: Warehouse | Connection, schema: str) -> dict[str, tuple[str, ...]]:
    """The columns that each of the schema's tables has now, by feed."""
    named = f"SELECT table_name, column_name FROM {LEDGER}.domain_column WHERE schema_name = ?"
    query = f"{named} ORDER BY table_name, column_name"
    found: dict[str, tuple[str, ...]] = {}
    for table, column in _rows(source, query, [schema]):
        found[table] = (*found.get(table, ()), column)
    return found


def row_counts(source: Warehouse | Connection, schema: str, tables: Iterable[str]) -> dict[str, int]:
    """How many rows each of the schema's tables holds now; without those that are not there yet."""
    known = stored_columns(source, schema)
    wanted = [table for table in tables if table in known]
    if not wanted:
        return {}
    counts = " UNION ALL ".join(f"SELECT {text(t)}, count(*) FROM {PRIVATE}.{quote(schema)}.{quote(t)}" for t in wanted)
    return {str(table): int(rows) for table, rows in _rows(source, counts, [])}


def bound_identity(source: Warehouse | Connection, schema: str) -> str | None:
    """The id of the shop, store or account whose data the schema holds; None if it holds none yet."""
    rows = _rows(source, f"SELECT identity FROM {LEDGER}.source_identity WHERE schema_name = ?", [schema])
    return str(rows[0][0]) if rows else None


def check_identity(bound: str | None, schema: str, identity: str) -> None:
    """Raises ForeignData if the schema belongs to another shop, store or account."""
    if bound is not None and bound != identity:
        raise ForeignData(
            f"The schema {schema} holds the data of {bound}, but these credentials are for {identity}. "
            "Nothing was loaded.",
            fix="Use the first one's credentials, or load this source under a courier file of another name.",
        )


def bind_identity(connection: Connection, schema: str, run: RunRecord) -> None:
    """Bind the schema at its first commit, and refuse anybody else's data ever after. Raises ForeignData."""
    bound = bound_identity(connection, schema)
    check_identity(bound, schema, run.identity)
    if bound is None:
        values = [schema, run.connector, run.identity, run.run]
        connection.execute(f"INSERT INTO {LEDGER}.source_identity VALUES (?, ?, ?, ?)", values)


def record_run(connection: Connection, run: RunRecord, changed: bool) -> None:
    """The run's own row."""
    values = [run.run, run.courier, run.connector, run.identity, run.started, clock.now()]
    values += [run.load_id, run.api_version, changed, *astuple(run.work)]
    places = ", ".join("?" for _ in values[5:])
    connection.execute(f"INSERT INTO {LEDGER}.run VALUES (?, ?, ?, ?, CAST(? AS TIMESTAMPTZ), {places})", values)


def record_feeds(
    connection: Connection, run: RunRecord, loads: Sequence[FeedLoad], counters: Mapping[str, Counters]
) -> None:
    """Counters, requests and coverage of every feed, and the records in error."""
    known = _coverage(connection, run.courier, [load.feed.name for load in loads])
    merged = {load.feed.name: intervals.merge([*known[load.feed.name], load.period]) for load in loads}
    changed = {feed: found for feed, found in merged.items() if found != known[feed]}
    named = f"DELETE FROM {LEDGER}.coverage WHERE courier = ? AND feed = ANY(?)"
    connection.execute(named, [run.courier, list(changed)])
    spans = [[run.courier, feed, span.since, span.until] for feed, found in changed.items() for span in found]
    insert_rows(connection, "coverage", spans)
    insert_rows(connection, "feed_run", [_feed_run(run, load, counters[load.feed.name], merged) for load in loads])
    insert_rows(connection, "record_error", [_error(run, error) for load in loads for error in load.errors])


def _feed_run(
    run: RunRecord, load: FeedLoad, counters: Counters, merged: Mapping[str, Sequence[Interval]]
) -> list[Any]:
    bounds = [load.period.since, load.period.until, load.request.since, load.request.until]
    watermark = intervals.watermark(merged[load.feed.name])
    counts = [*astuple(counters), load.outside_window]
    return [run.run, run.courier, load.feed.name, *counts, *bounds, watermark, load.fetched]


def _error(run: RunRecord, error: RecordError) -> list[Any]:
    return [run.run, run.courier, error.feed, error.file, error.line, error.column, error.shape, error.reason]


def insert_rows(connection: Connection, table: str, rows: Sequence[Sequence[Any]], chunk: int = 500) -> None:
    # One statement for many rows: executemany costs about 0.3 ms for each.
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk]
        values = ", ".join(f"({', '.join('?' for _ in row)})" for row in part)
        connection.execute(f"INSERT INTO {LEDGER}.{table} VALUES {values}", [value for row in part for value in row])


def _coverage(source: Warehouse | Connection, courier: str, feeds: Sequence[str]) -> dict[str, list[Interval]]:
    query = f"SELECT feed, since, until FROM {LEDGER}.coverage WHERE courier = ?"
    found: dict[str, list[Interval]] = {feed: [] for feed in feeds}
    for feed, since, until in _rows(source, query, [courier]):
        if feed in found:
            found[feed].append(Interval(since, until))
    return {feed: intervals.merge(spans) for feed, spans in found.items()}


def _rows(source: Warehouse | Connection, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with reading(source, threads=1, memory=LITTLE_MEMORY) as connection:
        if connection is None or not has_ledger(connection):
            return []
        return connection.execute(query, values).fetchall()
