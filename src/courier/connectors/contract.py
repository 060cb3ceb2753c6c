"""What the runtime asks of every connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any, Protocol

from courier.clock import Interval
from courier.config.problems import Problem
from courier.config.project import Courier, DomainTable, Feed, Mode, Project
from courier.http import Traffic
from courier.storage.load import ColumnStatus
from courier.storage.selection import Computed


@dataclass(frozen=True)
class Request:
    """Something to fetch: the records of one root type, for the feeds that want the same interval.

    The feeds' tables are already without the columns that this shop cannot give (see Preflight.statuses).
    `parents` holds, for child feeds, their parent's table by name, though it may not be among `feeds`.
    """

    name: str  # the folder: "Order", "Order-2"
    root: str
    feeds: tuple[Feed, ...]
    parents: Mapping[str, DomainTable]
    interval: Interval
    mode: Mode = "auto"


@dataclass(frozen=True)
class Preflight:
    """What is known before the first page. Never holds a secret.

    identity: the shop's own id; the schema is bound to it at its first commit
    statuses: columns that will be null, with their reason; `unreachable`: feeds that cannot be fetched at all -> reason
    notes: sentences for the person who runs it
    bounded: root record types whose full pull is not of full scope (no read_all_orders, `since`): absence proves
        nothing
    """

    identity: str
    name: str
    api_version: str
    statuses: tuple[ColumnStatus, ...] = ()
    unreachable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    bounded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fetching:
    """Progress of a request: root records so far, of about `expected`."""

    request: str
    records: int
    expected: int | None


@dataclass(frozen=True)
class Waiting:
    """The connector waits: for the rate limit, or before another try."""

    seconds: float
    reason: str


def without(feed: Feed, statuses: Sequence[ColumnStatus]) -> Feed:
    """The feed whose columns named by `statuses` are unavailable: they read nothing and are null."""
    reasons = {status.column: status.reason for status in statuses if status.feed == feed.name}
    columns = tuple(
        replace(column, sources=(), sql=None, unavailable=reasons[column.name]) if column.name in reasons else column
        for column in feed.table.columns
    )
    return replace(feed, table=replace(feed.table, columns=columns))


Progress = Callable[[Fetching | Waiting], None]
Stored = Callable[[str, Sequence[str]], Sequence[tuple[Any, ...]]]
"""A feed and columns of its table -> the rows that were committed last; none where it was never loaded."""


def nothing_stored(feed: str, columns: Sequence[str]) -> Sequence[tuple[Any, ...]]:
    """What is known of a feed that was never loaded."""
    return ()


@dataclass(frozen=True)
class Reconciled:
    """The proof that a request is whole: what the source counts now, what was fetched, and how they were reconciled.

    computed: the records are figures that the source makes on request, as a report: there is nothing to find again
    """

    counted: int | None
    fetched: int
    moved: int = 0  # ids that left the period, or were deleted, while we read
    outside_window: int = 0  # root records fetched beyond the interval (filters by whole days)
    computed: bool = False


EVERYTHING = 1 << 40
"""Rows that one request brings, where it brings them all."""


@dataclass(frozen=True)
class Pace:
    """Requests that share a limit of so many a second and a minute: one per `records` rows that a table holds.

    of: (feed, records) pairs, whose requests are added up; `records` is EVERYTHING where one request brings all
    """

    of: tuple[tuple[str, int], ...]
    burst: int
    steady: int

    @property
    def a_minute(self) -> tuple[int, str]:
        """How many records at most, or where one request brings any number of them, how many requests."""
        records = self.of[0][1]
        return (records * self.steady, "records") if records < EVERYTHING else (self.steady, "requests")

    def seconds(self, rows: Mapping[str, int]) -> float:
        """How long they take: whole minutes are full, and the last one goes as fast as it may. `rows`: by feed."""
        requests = sum(max(1, ceil(rows.get(feed, 0) / records)) for feed, records in self.of)
        full, rest = divmod(requests - 1, self.steady)
        return full * 60 + rest / self.burst


@dataclass(frozen=True)
class Estimate:
    """For `courier plan`, without a request: the GraphQL cost of one page and its size, and how it will be fetched.

    mode: "auto" where the source's count decides: in bulk above `bulk_above` root records, which else is None
    paces: of a source whose limits count requests, those that the request makes if it brings all that is stored
    """

    request: str
    page_size: int
    page_cost: int
    mode: Mode = "pages"
    bulk_above: int | None = None
    paces: tuple[Pace, ...] = ()

    def seconds(self, rows: Mapping[str, int]) -> float | None:
        """How long it takes to bring so many rows, by feed; None where that is not known before."""
        return sum(pace.seconds(rows) for pace in self.paces) if self.paces else None


class Session(Protocol):
    """One courier's connection to its source, for one run."""

    @property
    def traffic(self) -> Traffic:
        """What has been asked and answered until now."""

    def preflight(self) -> Preflight:
        """Ask who answers, in which version, and what we may read. Raises SourceRefused, SourceUnreachable."""

    def prepare(self, requests: Sequence[tuple[Request, Path]]) -> None:
        """Start what the source can get ready by itself while others are fetched. Called before `fetch`, and once
        more where it raised SourceUnreachable."""

    def fetch(self, request: Request, folder: Path) -> None:
        """Pull the request's records into `folder` (storage.raw, in one part or several), from where an earlier try
        was cut off. Raises SourceUnreachable where it may go on from there later."""

    def fetch_deletes(self, feeds: Sequence[Feed], interval: Interval, folder: Path) -> None:
        """Pull the source's delete events into the stream `Delete`: lines with `feed`, `key` and `deletedAt`."""

    def reconcile(self, request: Request, folder: Path) -> Reconciled:
        """Count the source again and look for ids that were missed. Raises Incomplete. This and whatever else asks
        the source is called again where it raised SourceUnreachable."""


class Connector(Protocol):
    """One SaaS. A module-level value in connectors/<name>/__init__.py, called `connector`."""

    name: str
    computed: Sequence[Computed]
    lists: frozenset[str]  # fields that hold lists of scalars, as Order.tags

    def check(self, project: Project, courier: Courier) -> list[Problem]:
        """Problems that only this connector can see: unknown computed values, unknown roots, versions."""

    def look_back(self, feed: Feed) -> timedelta:
        """How long after a change this source may still show it: the feed's own `look_back`, or the source's."""

    def estimate(self, request: Request) -> Estimate:
        """What a page of the request will cost."""

    def open(
        self,
        courier: Courier,
        credential: Mapping[str, str],
        state: Path,
        progress: Progress,
        stored: Stored = nothing_stored,
    ) -> Session:
        """A session. `state` is a folder for the shared rate budget; `stored` tells what earlier runs committed, to
        those whose source does not say what moved or is gone. No request is sent yet."""
