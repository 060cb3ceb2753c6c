"""What happens in a run, as values. The command line renders them, the history keeps them, tests assert on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from courier.clock import Interval, now, rfc3339


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened to a courier's run. `at` is when."""

    courier: str
    run: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """`recovered`: an earlier process was killed, and this one goes on where it stopped."""

    recovered: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceAnswered(Event):
    """The shop is known: its name, the API version that really answered."""

    name: str
    api_version: str


@dataclass(frozen=True, kw_only=True)
class GroupWaits(Event):
    """A group's constraints do not hold yet. No courier runs: `courier` and `run` are empty."""

    group: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class GroupNoticed(Event):
    """Something about a group's run that a person should know. `courier` and `run` are empty."""

    group: str
    note: str


@dataclass(frozen=True, kw_only=True)
class ActivationItem(Event):
    """What came of one item. `state`: done, pending, unknown, failed or not_sent. `courier` is empty; `run` is the
    apply's."""

    activation: str
    key: str
    action: str
    state: str
    credits: int
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ActivationEnded(Event):
    """`result`: planned, succeeded, partial, failed or refused. `said`: what would be or was done, in a line. `fix` is
    what to type next. `courier` is empty."""

    activation: str
    result: str
    said: str
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Noticed(Event):
    """Something that a person should know, and that does not stop the run."""

    note: str


@dataclass(frozen=True, kw_only=True)
class Fetched(Event):
    """A page has been written. `complete`: it was the request's last."""

    request: str
    records: int
    expected: int | None = None
    complete: bool = False


@dataclass(frozen=True, kw_only=True)
class Waited(Event):
    """The source asked us to slow down, or is tried again."""

    seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class FeedSkipped(Event):
    feed: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FeedShaped(Event):
    """Records became typed rows; `errors` could not."""

    feed: str
    rows: int
    errors: int


@dataclass(frozen=True, kw_only=True)
class RunLanded(Event):
    """dlt has the rows in the run's own landing folder. No feed with news: no `load_id`."""

    load_id: str | None
    rows: int


@dataclass(frozen=True, kw_only=True)
class RequestReconciled(Event):
    """The source was counted again, and agrees; or its answer is all there is, where it `computed` that on request."""

    request: str
    counted: int | None
    fetched: int
    moved: int
    computed: bool = False


@dataclass(frozen=True, kw_only=True)
class Committing(Event):
    """The transaction is about to commit."""


@dataclass(frozen=True, kw_only=True)
class FeedCommitted(Event):
    """One feed's counters: read = inserted + updated + unchanged + rejected + errors."""

    feed: str
    period: Interval
    request: Interval
    read: int
    inserted: int
    updated: int
    unchanged: int
    rejected: int
    errors: int
    deleted: int


@dataclass(frozen=True, kw_only=True)
class RunCommitted(Event):
    """Rows, counters and watermark are in. `changed`: some row changed."""

    changed: bool


@dataclass(frozen=True, kw_only=True)
class Publishing(Event):
    """The copy is whole on disk and about to take the published file's place."""


@dataclass(frozen=True, kw_only=True)
class RunPublished(Event):
    path: str


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """`result`: succeeded, failed or interrupted. `problem` and `fix` say why, and what to type next."""

    result: str
    seconds: float
    problem: str = ""
    fix: str = ""


Report = Callable[[Event], None]


@dataclass(frozen=True)
class Reporter:
    """Reports events of one run."""

    courier: str
    run: str
    report: Report

    def __call__(self, kind: type[Event], **values: Any) -> None:
        self.report(kind(courier=self.courier, run=self.run, at=now(), **values))


def as_json(event: Event) -> dict[str, Any]:
    """The event as plain values: `event` is its kind, times are RFC 3339, intervals are pairs."""
    kind = type(event).__name__
    values = {field.name: _plain(getattr(event, field.name)) for field in fields(event)}
    return {"event": kind, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Interval):
        return interval_json(value)
    return value


def interval_json(interval: Interval) -> dict[str, str | None]:
    """{"since": ..., "until": ...}; null is unbounded."""
    return {name: rfc3339(value) if value else None for name, value in asdict(interval).items()}
