"""The alerts of alerts.yaml, sent for Dagster's runs of the schedule as for embedded ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dagster import DagsterEventType, DagsterRun, DagsterRunStatus, RunsFilter

from courier.clock import now, rfc3339
from courier.config.project import CourierGroup
from courier.engines.dagster.home import Home
from courier.engines.dagster.past import ENDED, GROUP, SCHEDULED, Past
from courier.runtime.alerting import tell
from courier.runtime.alerting.watch import alerted_past
from courier.runtime.decide import fix_of_blocked
from courier.runtime.history import PastGroupRun
from courier.runtime.result import Result

TOLD = {DagsterEventType.ASSET_MATERIALIZATION, DagsterEventType.ASSET_OBSERVATION}


def tell_blocked(home: Home, group: CourierGroup, scheduled: datetime, reason: str) -> tuple[str, ...]:
    """Returns what could not be told, and why."""
    at, fix = rfc3339(now()), fix_of_blocked(group)
    row = _row(group, "", rfc3339(scheduled), (at, at), "blocked", [])
    return _tell(home, group, PastGroupRun(**{**row, "problem": reason, "fix": fix}), None)


def tell_ended(home: Home, group: CourierGroup, past: Past, run: DagsterRun) -> tuple[str, ...]:
    """Once, when the sensor sees that the fire's run is over. Returns what could not be told, and why."""
    if not home.project.alerts.targets:
        return ()
    record = past.instance.get_run_record_by_id(run.run_id)
    assert record is not None
    made = record.create_timestamp.timestamp()
    times = [rfc3339(datetime.fromtimestamp(at or made, UTC)) for at in (record.start_time, record.end_time)]
    couriers = _reports(past, run)
    result = _result(run, [one["result"] for one in couriers])
    row = _row(group, run.run_id, run.tags[SCHEDULED], (times[0], times[1]), result, couriers)
    return _tell(home, group, PastGroupRun(**row), _previous(past, run))


def _row(
    group: CourierGroup, run: str, scheduled: str, times: tuple[str, str], result: Result, couriers: list[Any]
) -> dict[str, Any]:
    """A run as the history would have it: nothing else about alerts knows of Dagster."""
    return {
        "run": run, "group": group.name, "scheduled": scheduled, "trigger": "schedule", "started": times[0],
        "ended": times[1], "result": result, "committed": result == "succeeded", "problem": None, "fix": None,
        "config": "", "report": {"couriers": couriers},
    }  # fmt: skip


def _tell(home: Home, group: CourierGroup, row: PastGroupRun, previous: Result | None) -> tuple[str, ...]:
    return tell(home.project, home.place, alerted_past(row, group), previous)


def _reports(past: Past, run: DagsterRun) -> list[dict[str, Any]]:
    """What the run's couriers said of themselves, each its latest word."""
    found: dict[str, dict[str, Any]] = {}
    for entry in past.instance.all_logs(run.run_id, of_type=TOLD):
        told = entry.asset_materialization or entry.asset_observation
        if told and told.asset_key.path[0] == "courier" and "report" in told.metadata:
            report: Any = told.metadata["report"].value
            found[report["courier"]] = report
    return list(found.values())


def _result(run: DagsterRun, couriers: list[str]) -> Result:
    if run.status is DagsterRunStatus.CANCELED:
        return "interrupted"
    if run.is_success and all(one == "succeeded" for one in couriers):
        return "succeeded"
    return "partial" if "succeeded" in couriers else "failed"


def _previous(past: Past, run: DagsterRun) -> Result | None:
    """What came of the group's scheduled run before this one."""
    runs = past.instance.get_runs(RunsFilter(tags={GROUP: run.tags[GROUP]}, statuses=list(ENDED)), limit=20)
    before = (one for one in runs if one.tags.get(SCHEDULED, run.tags[SCHEDULED]) < run.tags[SCHEDULED])
    return next((_result(one, []) for one in before if one.status is not DagsterRunStatus.CANCELED), None)
