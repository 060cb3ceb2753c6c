"""Run one courier: take its lock, bring earlier runs to their end, then its own. All of its feeds commit, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from courier import clock
from courier.config.project import Courier
from courier.connectors import connector_named
from courier.errors import CourierError, NoRoom, RunFailed, WarehouseUnreachable
from courier.runtime.context import Context, Work, recording
from courier.runtime.effort import Meter
from courier.runtime.events import Noticed, Reporter, RunFinished, RunStarted
from courier.runtime.fetch import Answer, answer_from_json, fetch
from courier.runtime.load_path import clean_up, load
from courier.runtime.place import courier_lock
from courier.runtime.plan import Intention, plan_feeds
from courier.runtime.publishing import publish_changes
from courier.runtime.resolution import resolution
from courier.runtime.result import CourierResult, Outcome, Result, feed_results
from courier.runtime.run_folder import Stage, StoredRun, fingerprint, folder_of, new_run, prune, unfinished
from courier.storage import ledger
from courier.storage.duck import is_interruption
from courier.storage.ledger import Standing
from courier.storage.room import TellingNoRoom

ATTEMPTS = 3


def run_courier(context: Context, intention: Intention) -> CourierResult:
    """Run a courier over its next period, or over the one chosen by hand.

    A run that fails is a result. Raises ConfigurationError, Refused and Locked: they are for the person who typed.
    """
    courier = context.project.couriers[intention.courier]
    locked = courier_lock(context.place, courier.name, wait=context.wait_for_lock)
    with locked as place, recording(replace(context, place=place)) as context:
        recover(context, courier)
        standing = ledger.standing(context.place.warehouse, courier.name, [feed.name for feed in courier.feeds])
        connector = connector_named(courier.connector)
        plans = plan_feeds(courier, connector, intention, standing.watermarks)
        stored = new_run(intention, courier, plans, clock.now(), context.project.destination)
        return attempt(work_on(context, courier, stored, standing))


def work_on(context: Context, courier: Courier, stored: StoredRun, standing: Standing | None = None) -> Work:
    """The run as it is worked on: with what a person allows it, and counting from where earlier processes stopped."""
    connector, folder = connector_named(courier.connector), folder_of(context.place, stored.run)
    allowed, meter = stored.allowance.applied(courier), Meter(stored.effort)
    return Work(context, allowed, connector, folder, stored, standing, meter)


def recover(context: Context, courier: Courier) -> None:
    """Bring the courier to where it would be had no process been killed: published, and no run left half done."""
    if context.pace is None:
        prune(context.place, clock.now())
        publish_changes(context, Reporter(courier.name, "", context.report))
    for _, stored in list(unfinished(context.place, courier.name)):
        _take_up(work_on(context, courier, stored), fingerprint(courier, context.project.destination))


def _take_up(work: Work, configured: str) -> None:
    """A run whose process was killed: it has committed, or goes on, or is given up and its period read again."""
    stored = work.stored
    if ledger.committed(work.context.place.warehouse, stored.run):
        clean_up(work)
        work.reporter(Noticed, note="an earlier run was killed after its commit; its rows are in")
        _end(work, "succeeded", committed_result(work))
    elif stored.fingerprint != configured:
        _end(
            work,
            "failed",
            note="an earlier run was killed and the configuration changed since: its period is read again",
        )
    elif stored.attempts >= ATTEMPTS:
        _end(work, "failed", note=f"an earlier run was cut off {stored.attempts} times: its period is read afresh")
    elif overtaken(work):
        _end(work, "failed", note="an earlier run was killed, and a later one has committed since: it is given up")
    else:
        attempt(work)


def overtaken(work: Work) -> str | None:
    """A run of the courier that has committed since this one began: what this one fetched may be older than rows.

    Then absence from it proves no delete, and a table that it replaces would become older.
    """
    return ledger.committed_since(work.context.place.warehouse, work.courier.name, work.stored.started)


def committed_result(work: Work) -> CourierResult:
    """What a run brought that has committed, as the ledger tells it."""
    files, feeds = work.context.place.warehouse, list(work.stored.plans)
    outcome = Outcome(
        counters=ledger.recorded(files, work.stored.run),
        reconciled=frozenset(feeds),
        watermarks=ledger.watermarks(files, work.courier.name, feeds),
    )
    return _result(work, outcome, None)


def attempt(work: Work) -> CourierResult:
    """One process's work on a run, from where the last one stopped. Failing leaves the tables as they were."""
    begun = clock.now()
    work = replace(work, stored=replace(work.stored, stage="running", attempts=work.stored.attempts + 1))
    _begin(work)
    with _EndingInAnyCase(work):
        outcome, failure = _tried(work)
    result = _result(work, outcome, failure)
    if isinstance(failure, NoRoom):  # it stays under way on disk, and the next start goes on with it
        _remember(work, result.result, "", result)
    else:
        _end(work, result.result, result)
    seconds = (clock.now() - begun).total_seconds()
    work.reporter(RunFinished, result=result.result, seconds=seconds, problem=result.problem, fix=result.fix)
    return result


def _tried(work: Work) -> tuple[Outcome, RunFailed | None]:
    try:
        with TellingNoRoom():
            return load(work, _answer(work)), None
    except RunFailed as failed:
        return Outcome(), failed


def _answer(work: Work) -> Answer:
    """What the source said, from the run's folder if an earlier process got that far."""
    stored = work.folder.answer()
    if stored:
        return answer_from_json(orjson.loads(stored))
    with work.meter.stage("fetch"):
        return fetch(work)


def _begin(work: Work) -> None:
    stored = work.stored
    work.folder.store(stored)
    scheduled, started = clock.rfc3339(stored.scheduled), clock.rfc3339(stored.started)
    work.context.history.begin(stored.run, stored.courier, stored.group, scheduled, started, stored.group_run)
    work.reporter(RunStarted, recovered=stored.attempts > 1)


@dataclass(frozen=True)
class _EndingInAnyCase:
    """What is not a failed run still ends in the history: interrupted (gone on with later), refused, or a bug."""

    work: Work

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # An engine has its own way to interrupt, which is no Exception either.
        if is_interruption(error) or (error is not None and not isinstance(error, Exception)):
            self.work.folder.store(replace(self.work.stored, effort=self.work.meter.effort))
            _remember(self.work, "interrupted", "interrupted")
        elif isinstance(error, CourierError):
            _end(self.work, "failed", note=error.message)
        elif kind is not None:
            _end(self.work, "failed", note=f"an unexpected error: {kind.__name__}")


def _result(work: Work, outcome: Outcome, failure: RunFailed | None) -> CourierResult:
    result: Result = "failed" if failure else "succeeded"
    return CourierResult(
        courier=work.courier.name,
        run=work.stored.run,
        result=result,
        load_id=outcome.load_id,
        feeds=feed_results(work.stored, outcome),
        problem=failure.message if failure else "",
        fix=_fix(work, failure) if failure else "",
        effort=work.meter.effort,
        config=work.stored.fingerprint,
        connector=work.courier.connector,
        api_version=outcome.api_version,
        allowance=work.stored.allowance,
        again=isinstance(failure, WarehouseUnreachable),
    )


def _fix(work: Work, failure: RunFailed) -> str:
    fetched = work.folder.answer() is not None
    return resolution(failure, work.stored.run, fetched=fetched, sandbox=work.context.place.sandbox)


def _end(work: Work, result: Result, report: CourierResult | None = None, *, note: str = "") -> None:
    """Close the run on disk and in the history; `note` is for runs that end without a report."""
    if note:
        work.reporter(Noticed, note=note)
    stage: Stage = "done" if result == "succeeded" else "failed"
    work.folder.store(replace(work.folder.stored() or work.stored, stage=stage, effort=work.meter.effort))
    _remember(work, result, note, report)


def _remember(work: Work, result: Result, problem: str, report: CourierResult | None = None) -> None:
    work.context.history.end(
        work.stored.run,
        clock.rfc3339(clock.now()),
        result,
        report.problem if report else problem,
        report.fix if report else "",
        report.as_json() if report else {},
    )
