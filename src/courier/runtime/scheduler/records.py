"""What the scheduler itself writes into the history: runs that never began, and runs that died."""

from __future__ import annotations

from datetime import datetime

from courier import clock
from courier.clock import rfc3339
from courier.config.project import CourierGroup
from courier.runtime.history import History, PastGroupRun
from courier.runtime.run_name import name_of


def record(
    history: History, group: CourierGroup, scheduled: datetime, config: str, result: str, problem: str, fix: str
) -> PastGroupRun:
    """A run of which no process has left a trace, from beginning to end."""
    run, now = name_of(group.name, clock.now()), rfc3339(clock.now())
    history.begin_group(run, group.name, rfc3339(scheduled), "schedule", now, config)
    report = _report(run, group.name, now, result, problem, fix)
    history.end_group(run, now, result, problem, fix, report, committed=False)
    return _found(history, run)


def record_killed(history: History, run: PastGroupRun) -> PastGroupRun:
    """A run whose process died before it could say so."""
    now = rfc3339(clock.now())
    problem, fix = "its process was killed", f"courier run --group {run.group} goes on where it stopped"
    report = _report(run.run, run.group, run.started, "killed", problem, fix)
    history.end_group(run.run, now, "killed", problem, fix, report, committed=False)
    return _found(history, run.run)


def _found(history: History, run: str) -> PastGroupRun:
    found = history.find_group(run)
    assert found is not None
    return found


def _report(run: str, group: str, started: str, result: str, problem: str, fix: str) -> dict[str, object]:
    return {
        "version": 1,
        "run": run,
        "group": group,
        "result": result,
        "started": started,
        "ended": rfc3339(clock.now()),
        "couriers": [],
        "activations": [],
        "problem": {"message": problem, "fix": fix} if problem else None,
    }
