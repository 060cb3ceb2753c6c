"""Dagster's own runs, as `decide` looks at them. What a run is about stands in its tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

from courier.clock import rfc3339
from courier.runtime.decide import PastRun

GROUP, SCHEDULED, COMMITTED = "courier/group", "courier/scheduled", "courier/committed"
WILL_RETRY = "dagster/will_retry"  # Dagster is about to start the run again, because its worker died
ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
SKEW = timedelta(days=1)  # a run is made after its instant; room for clocks that differ


@dataclass(frozen=True)
class Past:
    """The runs of groups that an instance knows of."""

    instance: DagsterInstance

    def counting(self, groups: Iterable[str], since: datetime) -> tuple[PastRun, ...]:
        """The ended runs of groups that `decide` looks at, scheduled at `since` or later."""
        tags = {GROUP: sorted(set(groups))}
        wanted = RunsFilter(tags=tags, statuses=list(ENDED), created_after=since - SKEW)
        runs = (_past(record) for record in self.instance.get_run_records(wanted))
        return tuple(run for run in runs if run.scheduled >= since)

    def of_fire(self, group: str, instant: datetime) -> DagsterRun | None:
        """The group's latest run for the instant."""
        wanted = RunsFilter(tags={GROUP: group, SCHEDULED: rfc3339(instant)})
        return next(iter(self.instance.get_runs(wanted, limit=1)), None)


def is_over(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Whether the fire that the run is for has been dealt with.

    Where Dagster starts lost runs again, it says of every failed one whether it will, a moment after the failure; until
    then nobody knows.
    """
    if run.is_failure and instance.run_retries_enabled:
        return run.tags.get(WILL_RETRY) == "false"
    return run.status in ENDED


def created(instance: DagsterInstance, run: str) -> datetime:
    """When the run was asked for: S of a run that no schedule started."""
    record = instance.get_run_record_by_id(run)
    assert record is not None
    return record.create_timestamp


def _past(record: RunRecord) -> PastRun:
    run = record.dagster_run
    scheduled = datetime.fromisoformat(run.tags[SCHEDULED]) if SCHEDULED in run.tags else record.create_timestamp
    # A run of some assets only says nothing of the others.
    succeeded = (run.is_success and not run.asset_selection) or COMMITTED in run.tags
    return PastRun(run.tags[GROUP], scheduled, succeeded)
