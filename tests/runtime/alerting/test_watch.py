"""Runs under watch: late ones are told once, and each run's alerts come from one place alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier.clock import rfc3339
from courier.config.project import CourierGroup, Project
from courier.errors import RunFailed
from courier.runtime.alerting.watch import Watch, alerted_past, previous_of, watched
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.runtime.result import GroupResult, Result
from tests.runtime.alerting.receiver import Receiver
from tests.runtime.alerting.test_sending import project_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return project_of(tmp_path)


def history_of(project: Project) -> History:
    return History(Place(project.root, False).history)


def begin(project: Project, run: str, trigger: str = "schedule") -> None:
    history_of(project).begin_group(run, "shopify", rfc3339(NOON), trigger, rfc3339(NOON), "c")


def end(project: Project, run: str, result: Result, problem: str = "") -> GroupResult:
    ended = GroupResult(run, "shopify", result, NOON, NOON + timedelta(seconds=1), (), problem)
    values = (run, rfc3339(ended.ended), result, problem, "", ended.as_json())
    history_of(project).end_group(*values, committed=result == "succeeded")
    return ended


def watch_of(project: Project, receiver: Receiver, alert_after: timedelta | None = None) -> Watch:
    group: CourierGroup = replace(project.groups["shopify"], alert_after=alert_after)
    return Watch(project, Place(project.root, False), group, NOON, pytest.fail, {"OPS": receiver.url})


def titles(receiver: Receiver) -> list[str]:
    return [got["title"] for got in receiver.received]


def test_a_run_that_takes_too_long_is_told_once_while_it_runs(project: Project, receiver: Receiver) -> None:
    watch = watch_of(project, receiver, timedelta(hours=1))
    with watched(watch) as ended:
        begin(project, "run-1")
        watch._wait(0.0)  # what the thread does when the time is over
        assert titles(receiver) == ["courier: shopify: late"]
        ended(end(project, "run-1", "succeeded"))
    assert titles(receiver) == ["courier: shopify: late"]


def test_a_run_that_ends_in_time_is_not_late(project: Project, receiver: Receiver) -> None:
    watch = watch_of(project, receiver, timedelta(hours=1))
    with watched(watch) as ended:
        begin(project, "run-1")
        ended(end(project, "run-1", "succeeded"))
    watch._wait(0.0)
    assert titles(receiver) == []


def test_a_run_that_is_refused_has_failed(project: Project, receiver: Receiver) -> None:
    with pytest.raises(RunFailed), watched(watch_of(project, receiver)):
        begin(project, "run-1")
        end(project, "run-1", "failed", "the token was refused")
        raise RunFailed("the token was refused")
    assert titles(receiver) == ["courier: shopify: failed"]
    assert "the token was refused" in receiver.received[0]["message"]


def test_recovery_looks_back_over_runs_by_hand_and_covered_ones(project: Project, receiver: Receiver) -> None:
    for run, trigger, result in (
        ("run-1", "schedule", "failed"), ("run-2", "hand", "succeeded"), ("run-3", "schedule", "covered"),
    ):  # fmt: skip
        begin(project, run, trigger)
        end(project, run, result)  # type: ignore[arg-type]
    with watched(watch_of(project, receiver)) as ended:
        begin(project, "run-4")
        assert previous_of(history_of(project), "shopify", "run-4") == "failed"
        ended(end(project, "run-4", "succeeded"))
    assert titles(receiver) == ["courier: shopify: recovered"]


def test_what_died_again_and_again_has_failed(project: Project) -> None:
    begin(project, "run-1")
    history_of(project).end_group("run-1", rfc3339(NOON), "killed", "its process was killed", "", {}, committed=False)
    found = history_of(project).find_group("run-1")
    assert found and alerted_past(found, None).result == "failed"
