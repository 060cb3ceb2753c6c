"""Constraints that come to hold while they are waited for; only the clock is replaced."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from courier import clock
from courier.cli.project import open_project, opening
from courier.clock import rfc3339
from courier.runtime.context import Context
from courier.runtime.events import Event, GroupWaits
from courier.runtime.group_run import POLL_SECONDS, Asked, run_group
from courier.runtime.history import History
from courier.sandbox.history.options import Options
from tests.runs.hurried import Hurried
from tests.runs.tried import make

GROUPS = """
before: { couriers: { shopify: } }
after:
  couriers: { shopify: }
  constraints: [{ group: before, wait: 30m }]
"""
FEED = "feeds:\n  locations: { load: truncate }\n"


def test_a_group_waits_until_its_constraint_holds(
    tmp_path: Path, hurry: Hurried, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks again and again, says once what it waits for, and runs when the other one has committed at its S."""
    tried = make(tmp_path / "project", hurry, Options(customers=1, orders=1, products=1, special=False))
    (tried.root / "courier_groups.yaml").write_text(GROUPS, "utf-8")
    courier = tried.root / "couriers" / "shopify.yaml"
    courier.write_text(courier.read_text("utf-8").partition("feeds:\n")[0] + FEED, "utf-8")
    real, waited, told = clock.now, list[float](), list[Event]()
    history = History(tried.place.history)
    began = real()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            finish(history, "before", rfc3339(began + timedelta(minutes=1)))

    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(waited)))
    monkeypatch.setattr(clock, "sleep", sleep)
    project = open_project(tried.root)
    with opening(project, tried.place) as opened:
        context = Context(project, tried.place, opened.couriers, told.append)
        result = run_group(context, project.groups["after"], Asked(began, scheduled=began))
    assert (result.result, result.committed, waited.count(POLL_SECONDS)) == ("succeeded", True, 3)
    assert [event.reason for event in told if isinstance(event, GroupWaits)] == ["waits for a successful run of before"]
    assert tried.hashes() == {"locations": tried.truth()["locations"]}


def finish(history: History, group: str, scheduled: str) -> None:
    """Another group's run, as its process would have written it down."""
    now = rfc3339(clock.now())
    history.begin_group("other", group, scheduled, "schedule", now, "")
    history.end_group("other", now, "succeeded", "", "", {}, committed=True)
