"""The values that travel along the load path: shape -> land -> reconcile -> commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from courier.clock import Interval
from courier.config.project import DomainTable, Feed, Fleet, View

# Columns of a shaped file that are not the table's: what other tables read of the same lines (shape_at_once).
KEPT = "_kept_"


@dataclass(frozen=True)
class RecordError:
    """A record that could not become a row. Says where it is and what it looks like, never what it holds."""

    feed: str
    file: str  # relative to the run's folder
    line: int  # 1-based
    column: str  # "" when the line as a whole is wrong
    shape: str  # "text of 12 characters", "object", "list of 3"
    reason: str


@dataclass(frozen=True)
class Shaped:
    """One feed's records of one request, typed.

    rows: parquet with the table's columns, in order, and `_fetched_at` (TIMESTAMPTZ); child tables also have `_set`
          (BIGINT) and `_parent` (the parent's primary key, in its type). Columns that begin with KEPT are nobody's.
    sets: child tables only: one row per parent record that answered, also when its set is empty: `_set`, `_parent`,
          `_version` (the parent's last_updated in that response), `_fetched_at`, `_held` (BOOLEAN: a record of the
          set is in error, so the stored set stays).
    read: rows plus records in error.
    seen, left_out: of metafields, the records of each namespace, and how many of them lie in one that is not kept.
    """

    feed: str
    rows: tuple[Path, ...]
    sets: tuple[Path, ...]
    read: int
    errors: tuple[RecordError, ...] = ()
    unknown_fields: tuple[str, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    left_out: int = 0


def merged(parts: Sequence[Shaped]) -> Shaped:
    """One feed's records of all parts of its request."""
    namespaces = {name for part in parts for name in part.seen}
    return Shaped(
        feed=parts[0].feed,
        rows=tuple(path for part in parts for path in part.rows),
        sets=tuple(path for part in parts for path in part.sets),
        read=sum(part.read for part in parts),
        errors=tuple(error for part in parts for error in part.errors),
        unknown_fields=tuple(dict.fromkeys(name for part in parts for name in part.unknown_fields)),
        seen={name: sum(part.seen.get(name, 0) for part in parts) for name in sorted(namespaces)},
        left_out=sum(part.left_out for part in parts),
    )


@dataclass(frozen=True)
class Landed:
    """What dlt wrote: its `_dlt_loads.load_id`, and of each landing table a relation to read it and its rows, counted.

    files: those of each table, where it landed in files. notes: what a person should know.
    """

    load_id: str
    relations: dict[str, str]
    counts: dict[str, int]
    files: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeedLoad:
    """What one feed brings to the commit.

    rows, sets, deletes: relations to read from (`read_parquet([...])`), "" where there is none.
    deletes: rows with `key` (text of the primary key) and `deleted_at`.
    whole: this was an unbounded, reconciled pull of full scope, so what is absent was deleted.
    """

    feed: Feed
    rows: str
    read: int
    period: Interval
    request: Interval
    parent: DomainTable | None = None
    sets: str = ""
    deletes: str = ""
    whole: bool = False
    errors: tuple[RecordError, ...] = ()
    outside_window: int = 0
    seen: Mapping[str, int] = field(default_factory=dict)  # of metafields: namespace -> records, kept or not
    fetched: int | None = None  # records of the request, before rows were made of them


@dataclass(frozen=True)
class NamespaceCount:
    """A namespace of metafields: whether it is kept, its rows in the table, and the most records that a run met."""

    namespace: str
    chosen: bool
    stored: int
    seen: int


@dataclass(frozen=True)
class Counters:
    """read = inserted + updated + unchanged + rejected + errors; deleted stands beside."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    errors: int = 0
    deleted: int = 0

    @property
    def changed(self) -> bool:
        return bool(self.inserted or self.updated or self.deleted)


@dataclass(frozen=True)
class ColumnStatus:
    """Why a column is null, or where its values begin."""

    feed: str
    column: str
    reason: str  # not_in_graphql, api_version, scope_missing:read_x, ...
    detail: str = ""


@dataclass(frozen=True)
class WorkRecord:
    """What a run took until its commit, and what it was made with. None where nobody knows."""

    requests: int | None = None
    retries: int | None = None
    bytes: int | None = None
    config: str | None = None
    courier_version: str | None = None
    dlt_version: str | None = None
    duckdb_version: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """What the ledger keeps of a courier run. `identity` is the shop's, store's or account's own id.

    fleet: the one that the courier's store belongs to. spanning_later: whether somebody settles the views over several
    schemas once many such runs have committed: each time, 200 stores would take as long as they do together.
    """

    run: str
    courier: str
    connector: str
    identity: str
    started: str
    load_id: str | None
    api_version: str | None = None
    statuses: tuple[ColumnStatus, ...] = ()
    views: tuple[View, ...] = ()
    work: WorkRecord = WorkRecord()
    fleet: Fleet | None = None
    spanning_later: bool = False


@dataclass(frozen=True)
class Committed:
    """What a commit came to, read before the private file was closed, so that nobody need open it again to ask.

    watermarks: of the run's feeds, with this run. last_change: the last run that changed anything, maybe this one.
    namespaces: of the feeds of metafields. notes: sentences for the person who runs it.
    """

    counters: dict[str, Counters] = field(default_factory=dict)
    changed: bool = False
    watermarks: dict[str, datetime | None] = field(default_factory=dict)
    last_change: str | None = None
    namespaces: dict[str, tuple[NamespaceCount, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
