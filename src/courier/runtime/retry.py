"""Take up a failed run again from its raw records."""

from __future__ import annotations

from dataclasses import replace

from courier.connectors import connector_named
from courier.errors import UsageError
from courier.runtime.context import Context, Work, recording
from courier.runtime.courier_run import attempt
from courier.runtime.place import courier_lock
from courier.runtime.result import CourierResult
from courier.runtime.run_folder import fingerprint, folder_of
from courier.storage import ledger


def retry_run(context: Context, run: str) -> CourierResult:
    """Shape, land and commit the run's raw records with the project as it is now. Raises UsageError if it cannot be."""
    folder = folder_of(context.place, run)
    stored = folder.stored()
    if stored is None:
        raise UsageError(f"there is no run {run!r} on disk", fix="`courier runs` lists them; raw records stay 7 days")
    if stored.courier not in context.project.couriers:
        raise UsageError(
            f"run {run} is of courier {stored.courier}, which the project no longer has", fix="add it back"
        )
    courier = context.project.couriers[stored.courier]
    locked = courier_lock(context.place, courier.name, wait=context.wait_for_lock)
    with locked, recording(context) as context:
        if ledger.committed(context.place.files, run):
            raise UsageError(f"run {run} has committed; there is nothing to try again", fix="courier status")
        if folder.answer() is None:
            raise UsageError(f"run {run} did not fetch everything", fix=f"courier run --courier {courier.name}")
        # Everything is fetched: the project as it is now is what a killed retry is gone on with.
        stored = replace(stored, fingerprint=fingerprint(courier))
        return attempt(Work(context, courier, connector_named(courier.connector), folder, stored))
