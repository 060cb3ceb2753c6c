"""One run on disk: `.courier/runs/<run>/` with its plan, the raw records, and what was made of them.

run.json       what the run is about, and whether it has ended
answer.json    what the source said, once everything is fetched
raw/           what the connector fetched, a folder per request
shaped/        parquet, one folder per request
landing/       dlt's landing, removed once committed
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson

from courier import __version__
from courier.clock import Interval, rfc3339
from courier.config.activation import Activation
from courier.config.project import Courier, Destination, Feed
from courier.runtime.allowance import NOTHING, Allowance, allowance_from_json
from courier.runtime.effort import NO_EFFORT, Effort
from courier.runtime.place import Place, private_folder
from courier.runtime.plan import FeedPlan, Intention, left_out
from courier.runtime.run_name import name_of

Stage = Literal["running", "done", "failed"]
KEEP = timedelta(days=7)
MOST_PRINTED = 64


@dataclass(frozen=True)
class StoredRun:
    """run.json. `attempts` counts the processes that have worked on it; `effort` is what they took."""

    run: str
    courier: str
    group: str | None
    scheduled: datetime
    started: datetime
    fingerprint: str
    stage: Stage
    attempts: int
    plans: dict[str, tuple[Interval, Interval]]  # feed -> period, request
    skipped: dict[str, str]
    wait_seconds: float = 0.0
    group_run: str | None = None
    allowance: Allowance = NOTHING
    effort: Effort = NO_EFFORT


def new_run(
    intention: Intention, courier: Courier, plans: Sequence[FeedPlan], started: datetime, destination: Destination
) -> StoredRun:
    """A run that has not begun."""
    return StoredRun(
        run=name_of(courier.name, started),
        courier=courier.name,
        group=intention.group,
        scheduled=intention.scheduled,
        started=started,
        fingerprint=fingerprint(courier, destination),
        stage="running",
        attempts=0,
        plans={plan.feed.name: (plan.period, plan.request) for plan in plans if plan.period and plan.request},
        skipped={plan.feed.name: plan.skipped for plan in plans if plan.skipped and not plan.request},
        wait_seconds=intention.wait.total_seconds(),
        group_run=intention.group_run,
        allowance=intention.allowance,
    )


def fingerprint(one: Courier | Activation, destination: Destination) -> str:
    """Changes with its configuration, and with courier: pages of before cannot be gone on with then.

    And with the destination: another one's ledger says that other periods are loaded.
    """
    own = f"{replace(one, feeds=())!r} {_feeds_print(one)}" if isinstance(one, Courier) else repr(one)
    return hashlib.sha256(f"{__version__} {own} {destination!r}".encode()).hexdigest()[:16]


_printed: dict[int, tuple[tuple[Feed, ...], str]] = {}


def _feeds_print(courier: Courier) -> str:
    """Of a courier's feeds, once for all stores that share them: to write them out takes a millisecond."""
    known = _printed.get(id(courier.feeds))
    if known is None or known[0] is not courier.feeds:
        if len(_printed) > MOST_PRINTED:
            _printed.clear()
        known = courier.feeds, hashlib.sha256(repr(courier.feeds).encode()).hexdigest()
        _printed[id(courier.feeds)] = known
    return known[1]


def plans_of(stored: StoredRun, courier: Courier) -> tuple[FeedPlan, ...]:
    """The plans again, with the feeds as the project has them now."""
    found = []
    for feed in courier.feeds:
        if feed.name in stored.plans:
            found.append(FeedPlan(feed, *stored.plans[feed.name]))
        else:
            found.append(FeedPlan(feed, None, None, stored.skipped.get(feed.name, "not part of this run")))
    return left_out(found, stored.allowance)


@dataclass(frozen=True)
class RunFolder:
    """Where one run's files are."""

    path: Path

    @property
    def raw(self) -> Path:
        return self.path / "raw"

    @property
    def shaped(self) -> Path:
        return self.path / "shaped"

    def store(self, run: StoredRun) -> None:
        """Write run.json so that a kill leaves the old one or the new one."""
        private_folder(self.path)
        _write(self.path / "run.json", orjson.dumps(_as_json(run)))

    def store_answer(self, answer: bytes) -> None:
        """Keep what the source said, as JSON: from here on the run needs no source."""
        _write(self.path / "answer.json", answer)

    def answer(self) -> bytes | None:
        path = self.path / "answer.json"
        return path.read_bytes() if path.exists() else None

    def stored(self) -> StoredRun | None:
        try:
            return _from_json(orjson.loads((self.path / "run.json").read_bytes()))
        except FileNotFoundError:
            return None

    def clear_made(self) -> None:
        """Remove what was made of the raw records: it is made afresh."""
        shutil.rmtree(self.shaped, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, for its user only."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def folder_of(place: Place, run: str) -> RunFolder:
    return RunFolder(place.runs / run)


def unfinished(place: Place, courier: str) -> Iterator[tuple[RunFolder, StoredRun]]:
    """Runs of the courier that no process has ended: theirs was killed. Oldest first."""
    # By its name: to look into the folders of 200 stores' runs of a week would take longer than a small run.
    for path in sorted(place.runs.glob(f"*-{courier}-*")):
        stored = RunFolder(path).stored()
        if stored and stored.courier == courier and stored.stage == "running":
            yield RunFolder(path), stored


def prune(place: Place, now: datetime) -> None:
    """Remove the folders of runs that ended more than 7 days ago."""
    for path in place.runs.glob("*"):
        stored = RunFolder(path).stored()
        if stored and stored.stage in ("done", "failed") and now - stored.started > KEEP:
            shutil.rmtree(path)


def _as_json(run: StoredRun) -> dict[str, Any]:
    values = {**asdict(run), "allowance": run.allowance.as_json()}
    values["scheduled"], values["started"] = rfc3339(run.scheduled), rfc3339(run.started)
    values["plans"] = {feed: [_pair(period), _pair(request)] for feed, (period, request) in run.plans.items()}
    return values


def _from_json(values: dict[str, Any]) -> StoredRun:
    plans = {feed: (_interval(period), _interval(request)) for feed, (period, request) in values["plans"].items()}
    times = {name: datetime.fromisoformat(values[name]) for name in ("scheduled", "started")}
    allowance, effort = allowance_from_json(values.get("allowance", {})), Effort(**values.get("effort", {}))
    return StoredRun(**{**values, **times, "plans": plans, "allowance": allowance, "effort": effort})


def _pair(interval: Interval) -> list[str | None]:
    return [rfc3339(value) if value else None for value in (interval.since, interval.until)]


def _interval(pair: list[str | None]) -> Interval:
    since, until = (datetime.fromisoformat(value) if value else None for value in pair)
    return Interval(since, until)
