"""Sending, to a real service on loopback: what arrives, what is said when it cannot, and that no URL is told."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier.clock import Interval
from courier.config.load import load_project
from courier.config.project import Project
from courier.runtime.alerting import AlertedCourier, AlertedRun, tell, try_targets, unready
from courier.runtime.alerting.message import TEST
from courier.runtime.alerting.send import send
from courier.runtime.place import Place
from courier.storage.postgres.database import Postgres
from tests.config.projects import REPOSITORY, write_project
from tests.runtime.alerting.receiver import Receiver, receiving
from tests.storage.loads import ORDER, SCHEMA, Shop

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RUN = AlertedRun(
    group="shopify",
    run="20261120T120000-shopify-4f7a1c",
    trigger="schedule",
    scheduled=NOON,
    started=NOON,
    until=NOON + timedelta(minutes=5),
    result="failed",
    couriers=(AlertedCourier(SCHEMA, "run-1", "failed", problem="The token was refused (401).", fix="Set another."),),
)
SAID = f"""\
failed: 1 of 1 couriers did not commit
  {SCHEMA} failed: The token was refused (401).
    fix: Set another.
run 20261120T120000-shopify-4f7a1c
scheduled 2026-11-20T12:00:00Z, started 2026-11-20T12:00:00Z
ended 2026-11-20T12:05:00Z: failed
next: courier runs show run-1"""


def project_of(root: Path, alerts: str = "targets:\n  ops: ${OPS}\n") -> Project:
    project = load_project(write_project(root, {"alerts.yaml": alerts})).project
    assert project is not None
    return project


def test_a_failed_run_is_told_with_what_to_do(tmp_path: Path, receiver: Receiver) -> None:
    """Group, run, result, the courier's problem and fix, and what to type next; nothing is left behind on disk."""
    project = project_of(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert tell(project, Place(tmp_path, False), RUN, environ={"OPS": receiver.url}) == ()
    (got,) = receiver.received
    assert (got["title"], got["type"], got["message"]) == ("courier: shopify: failed", "failure", SAID)
    assert sorted(tmp_path.rglob("*")) == before


def test_each_target_receives_what_it_asked_for(tmp_path: Path, receiver: Receiver) -> None:
    """Kinds and groups choose; by hand nothing is told; a target without a URL does not keep the others from theirs."""
    rules = "alerts:\n  - { to: [ops, dev], on: recovered }\n  - { to: dev, groups: [shopify] }\n"
    project = project_of(tmp_path, "targets:\n  ops: ${OPS}\n  dev: ${DEV}\n" + rules)
    place = Place(tmp_path, True)
    urls = {"DEV": receiver.url}
    assert tell(project, place, replace(RUN, trigger="hand"), environ=urls) == ()
    assert tell(project, place, RUN, environ=urls) == ()
    assert [got["title"] for got in receiver.received] == ["courier: shopify: failed (sandbox)"]
    good = replace(RUN, result="succeeded", couriers=())
    assert tell(project, place, good, "partial", urls) == ("alert not sent to ops: OPS is not set (alerts.yaml:2)",)
    assert receiver.received[-1]["title"] == "courier: shopify: recovered (sandbox)"


def test_what_cannot_be_sent_is_a_notice_without_the_url(tmp_path: Path, receiver: Receiver) -> None:
    """A refusal, a service that is away, and what is no URL: each is said, and none holds the URL."""
    receiver.status = 403
    with receiving() as gone:
        pass
    urls = {"OPS": receiver.url, "AWAY": gone.url, "WRONG": "no-such-service://hunter2hunter2"}
    project = project_of(tmp_path, "targets:\n" + "".join(f"  {name.lower()}: ${{{name}}}\n" for name in urls))
    assert tell(project, Place(tmp_path, False), RUN, environ=urls) == (
        "alert not sent to ops: the service answered 403",
        "alert not sent to away: the service could not be reached",
        "alert not sent to wrong: this is no URL that Apprise knows",
    )


def test_a_service_that_does_not_answer_is_given_up(receiver: Receiver) -> None:
    receiver.silent.set()
    assert send({"ops": TEST}, {"ops": receiver.url}, limit=2) == {"ops": "no answer within 2 seconds"}


def test_nothing_that_a_target_does_is_printed(
    tmp_path: Path, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither Apprise nor the process that it runs in writes to our own output."""
    receiver.status = 500
    project = project_of(tmp_path)
    assert try_targets(project, ("ops",), {"OPS": receiver.url}) == {"ops": "the service answered 500"}
    assert capfd.readouterr() == ("", "")


def test_what_is_missing_is_known_before(tmp_path: Path, receiver: Receiver) -> None:
    project = project_of(tmp_path)
    assert unready(project, {"OPS": receiver.url}) == ()
    assert unready(project, {}) == ("no alert can be sent to ops: OPS is not set (alerts.yaml:2)",)


def test_the_ledgers_counts_are_judged(tmp_path: Path, receiver: Receiver) -> None:
    """A feed that stops is told of, from what the runs committed; a run of other feeds, or by hand, is not judged."""
    shop = Shop(tmp_path)
    start = NOON - timedelta(days=9)
    for day in range(10):
        period = Interval(start + timedelta(days=day - 1), start + timedelta(days=day))
        rows = [{"id": day * 100 + key, "updated_at": period.since} for key in range(30 if day < 9 else 0)]
        shop.load(shop.rows_load(ORDER, rows, period=period, request=period), run=f"run-{day}")
    good = replace(RUN, result="succeeded", couriers=(AlertedCourier(SCHEMA, "run-9", "succeeded"),))
    project, place = project_of(tmp_path), Place(tmp_path, False)
    assert tell(project, place, good, "succeeded", {"OPS": receiver.url}) == ()
    assert [got["title"] for got in receiver.received] == ["courier: shopify: volume"]
    assert receiver.received[0]["message"].startswith(
        f"volume: {SCHEMA}.order: 0 rows for 1 day, where about 30 are usual\n"
    )
    other = replace(good, couriers=(AlertedCourier(SCHEMA, "run-8", "succeeded"),))
    assert tell(project, place, other, "succeeded", {"OPS": receiver.url}) == ()
    assert len(receiver.received) == 1


def test_a_database_that_cannot_be_reached_is_a_notice(tmp_path: Path, receiver: Receiver) -> None:
    """What failed is told all the same."""
    couriers = (*RUN.couriers, AlertedCourier(SCHEMA, "run-9", "succeeded"))
    place = Place(tmp_path, False, Postgres("postgresql://somebody@127.0.0.1:9/shop", "shop at here"))
    told = tell(project_of(tmp_path), place, replace(RUN, couriers=couriers), environ={"OPS": receiver.url})
    assert told == ("volume and freshness were not looked at: the warehouse could not be read",)
    assert [got["title"] for got in receiver.received] == ["courier: shopify: failed"]


def courier_without_apprise(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that cannot import Apprise, as where the extra is not installed."""
    hidden = f"import sys; sys.modules['apprise'] = None; sys.argv[1:] = {list(words)!r}"
    code = f"{hidden}; from courier.cli import main; main()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env={**os.environ, "OPS": "json://x"}, capture_output=True, text=True)


def test_without_the_extra_the_command_to_install_it_is_told(tmp_path: Path) -> None:
    project_of(tmp_path)
    done = courier_without_apprise(tmp_path, "alerts", "test")
    assert done.returncode == 1
    assert done.stderr == (
        "error: alerts are sent by Apprise, which is not installed\n  fix: pip install 'courier-elt[notify]'\n"
    )


def test_the_extra_is_what_it_is_called() -> None:
    """The command that people are told to type installs what is missing."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'name = "courier-elt"' in text
    assert 'notify = ["apprise' in text
