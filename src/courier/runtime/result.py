"""What came of a run, as values and as the JSON that scripts rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from courier.clock import Interval, rfc3339
from courier.runtime.allowance import LEFT_OUT, NOTHING, Allowance
from courier.runtime.effort import NO_EFFORT, Effort, versions
from courier.runtime.events import interval_json
from courier.runtime.run_folder import StoredRun
from courier.storage.load import Counters, NamespaceCount

Result = Literal["succeeded", "failed", "partial", "blocked", "covered", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What the load path brought: nothing, unless it ended with a commit."""

    load_id: str | None = None
    counters: Mapping[str, Counters] = field(default_factory=dict)
    reconciled: frozenset[str] = frozenset()
    watermarks: Mapping[str, datetime | None] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    outside_window: Mapping[str, int] = field(default_factory=dict)
    changed: bool = False
    namespaces: Mapping[str, tuple[NamespaceCount, ...]] = field(default_factory=dict)
    fetched: Mapping[str, int] = field(default_factory=dict)
    api_version: str | None = None


@dataclass(frozen=True)
class FeedResult:
    """fetched: records that the feed's request brought, which other feeds may share; None where it is not known."""

    feed: str
    period: Interval | None
    request: Interval | None
    counters: Counters
    reconciled: bool
    watermark: datetime | None
    skipped: str = ""
    outside_window: int = 0
    namespaces: tuple[NamespaceCount, ...] = ()
    fetched: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "period": interval_json(self.period) if self.period else None,
            "request": interval_json(self.request) if self.request else None,
            "fetched": self.fetched,
            **asdict(self.counters),
            "reconciled": self.reconciled,
            "watermark": rfc3339(self.watermark) if self.watermark else None,
            "outside_window": self.outside_window,
            "skipped": self.skipped or None,
            "namespaces": [asdict(one) for one in self.namespaces],
        }


@dataclass(frozen=True)
class CourierResult:
    """config: changes with the courier's configuration and with courier itself. allowance: for this run only. again: it
    failed for want of the warehouse, not of the source, so that an engine may begin it again at once."""

    courier: str
    run: str
    result: Result
    load_id: str | None = None
    feeds: tuple[FeedResult, ...] = ()
    problem: str = ""
    fix: str = ""
    effort: Effort = NO_EFFORT
    config: str = ""
    connector: str = ""
    api_version: str | None = None
    allowance: Allowance = NOTHING
    again: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "courier": self.courier,
            "run": self.run,
            "result": self.result,
            "load_id": self.load_id,
            "feeds": [feed.as_json() for feed in self.feeds],
            "problem": problem_json(self.problem, self.fix),
            **self.effort.as_json(),
            "versions": {**versions(), "connector": self.connector, "api": self.api_version},
            "config": self.config,
            **self.allowance.as_json(),
        }


def feed_results(stored: StoredRun, outcome: Outcome) -> tuple[FeedResult, ...]:
    """One result per feed of the run, those that were skipped included."""
    skipped = {**dict.fromkeys(stored.allowance.skip_feeds, LEFT_OUT), **outcome.skipped}
    worked = tuple(
        FeedResult(
            feed=name,
            period=period,
            request=request,
            counters=outcome.counters.get(name, Counters()),
            reconciled=name in outcome.reconciled,
            watermark=outcome.watermarks.get(name),
            skipped=skipped.get(name, ""),
            outside_window=outcome.outside_window.get(name, 0),
            namespaces=outcome.namespaces.get(name, ()),
            fetched=outcome.fetched.get(name),
        )
        for name, (period, request) in stored.plans.items()
    )
    return worked + tuple(
        FeedResult(name, None, None, Counters(), False, None, reason) for name, reason in stored.skipped.items()
    )


@dataclass(frozen=True)
class GroupResult:
    """A run of a group, or of one courier by hand (`group` None)."""

    run: str
    group: str | None
    result: Result
    started: datetime
    ended: datetime
    couriers: tuple[CourierResult, ...]
    problem: str = ""
    fix: str = ""
    committed: bool = False  # every required courier has
    activations: tuple[Mapping[str, Any], ...] = ()  # each as JSON: ActivationResult

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "run": self.run,
            "group": self.group,
            "result": self.result,
            "started": rfc3339(self.started),
            "ended": rfc3339(self.ended),
            "couriers": [courier.as_json() for courier in self.couriers],
            "activations": list(self.activations),
            "problem": problem_json(self.problem, self.fix),
        }


def problem_json(problem: str, fix: str) -> dict[str, str] | None:
    return {"message": problem, "fix": fix} if problem else None
