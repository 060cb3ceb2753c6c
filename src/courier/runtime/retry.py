"""Take up a failed run of a courier again, from what it has fetched or from its beginning."""

from __future__ import annotations

from dataclasses import dataclass, replace

from courier import clock
from courier.config.project import Courier
from courier.errors import UsageError
from courier.runtime.allowance import NOTHING, Allowance, check_skipped
from courier.runtime.context import Context, recording
from courier.runtime.courier_run import attempt, committed_result, overtaken, work_on
from courier.runtime.effort import NO_EFFORT
from courier.runtime.place import Place, courier_lock
from courier.runtime.result import CourierResult
from courier.runtime.run_folder import StoredRun, fingerprint, folder_of
from courier.runtime.run_name import name_of
from courier.storage import ledger


@dataclass(frozen=True)
class Again:
    """How a run is taken up: `fetch` starts over with the same periods, under a name of its own.

    group_run: the group's run that does so, if one does; what has committed is then no mistake.
    """

    fetch: bool = False
    allowance: Allowance = NOTHING
    group_run: str | None = None


def retry_run(context: Context, run: str, again: Again = Again()) -> CourierResult:
    """Bring the run to its end with the project as it is now. Raises UsageError where it cannot be."""
    stored = stored_run(context.place, run)
    courier = courier_of(context, stored)
    locked = courier_lock(context.place, courier.name, wait=context.wait_for_lock)
    with locked as place, recording(replace(context, place=place)) as context:
        stored = stored_run(context.place, run)
        if ledger.committed(context.place.warehouse, run):
            if again.group_run:
                return committed_result(work_on(context, courier, stored))
            raise UsageError(f"run {run} has committed; there is nothing to try again", fix="courier status")
        allowance = again.allowance.over(stored.allowance)
        if not again.group_run:  # the feeds may be those of another courier of the group
            check_skipped([courier], allowance.skip_feeds, tuple(stored.plans))
        stored = replace(stored, allowance=allowance, group_run=again.group_run or stored.group_run)
        return attempt(work_on(context, courier, _started_over(context, courier, stored, again)))


def stored_run(place: Place, run: str) -> StoredRun:
    """The run as it lies on disk. Raises UsageError where it does not."""
    stored = folder_of(place, run).stored()
    if stored is None:
        raise UsageError(f"there is no run {run!r} on disk", fix="`courier runs` lists them; raw records stay 7 days")
    return stored


def needs_source(place: Place, run: str) -> bool:
    """Whether something of the run is still to be fetched."""
    return folder_of(place, run).answer() is None


def courier_of(context: Context, stored: StoredRun) -> Courier:
    if stored.courier not in context.project.couriers:
        raise UsageError(
            f"run {stored.run} is of courier {stored.courier}, which the project no longer has", fix="add it back"
        )
    return context.project.couriers[stored.courier]


def _give_up(context: Context, stored: StoredRun) -> None:
    """So that nobody goes on with it as well."""
    folder_of(context.place, stored.run).store(replace(stored, stage="failed"))
    if stored.stage == "running":
        ended = clock.rfc3339(clock.now())
        context.history.end(stored.run, ended, "failed", "it was cut off, and started over", "", {})


def _started_over(context: Context, courier: Courier, stored: StoredRun, again: Again) -> StoredRun:
    """The run to attempt: this one, or another one with its periods that has fetched nothing."""
    now = fingerprint(courier, context.project.destination)
    folder = folder_of(context.place, stored.run)
    if again.fetch:
        _give_up(context, stored)
        name, began = name_of(courier.name, clock.now()), clock.now()
        return replace(stored, run=name, started=began, fingerprint=now, attempts=0, effort=NO_EFFORT)
    if (other := overtaken(work_on(context, courier, stored))) is not None:
        raise UsageError(
            f"run {other} has committed since run {stored.run} began, whose records may be older than those stored now",
            fix=f"courier retry {stored.run} --fetch reads its periods again",
        )
    if folder.answer() is None and stored.fingerprint != now:
        raise UsageError(
            f"run {stored.run} did not fetch everything, and the configuration has changed since",
            fix=f"courier retry {stored.run} --fetch starts over",
        )
    # Everything is fetched: the project as it is now is what a killed retry is gone on with. It has its own tries.
    return replace(stored, fingerprint=now, attempts=1)
