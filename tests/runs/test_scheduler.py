"""A real scheduler whose group fires: it is killed, its runs are killed, its files change, and it is stopped."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from courier.runtime.scheduler.holding import scheduler_state
from courier.runtime.scheduler.launch import alive
from tests.runs.hurried import Hurried
from tests.runs.scheduled import Fired, Scheduled, fired, live_through, make


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, hurry: Hurried) -> Iterator[Fired]:
    with fired(tmp_path_factory.mktemp("scheduled"), hurry) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, shop: Fired, hurry: Hurried) -> Iterator[Scheduled]:
    made = make(tmp_path / "project", shop, hurry)
    yield made
    if made.scheduler:
        made.stop(signal.SIGKILL)


def test_a_killed_scheduler_leaves_its_run_alive_and_the_next_adopts_it(project: Scheduled) -> None:
    project.start()
    project.until(lambda: project.rows)
    project.kill()
    assert alive(project.place, "shopify")
    project.start()
    project.until(lambda: project.told("Ended"))
    assert project.stop() == 0
    assert len(project.told("Started")) == len(project.told("Adopted")) == len(project.rows) == 1
    project.assert_ended_as_if_undisturbed()


def test_a_killed_run_is_run_again(project: Scheduled) -> None:
    project.start()
    project.until(lambda: project.rows)
    project.kill_run()
    project.until_done()
    project.until(lambda: len(project.told("Ended")) == 2)
    assert project.stop() == 0
    assert [row.result for row in project.rows] == ["killed", "succeeded"]
    assert len({row.scheduled for row in project.rows}) == 1
    project.assert_ended_as_if_undisturbed()


@pytest.mark.parametrize("seed", range(5))
def test_random_kills_end_like_a_quiet_day(seed: int, tmp_path: Path, shop: Fired, hurry: Hurried) -> None:
    live_through(seed, tmp_path / "project", shop, hurry)


def test_a_stop_interrupts_runs_and_the_next_start_goes_on(project: Scheduled) -> None:
    """It ends with 0, says who it was while it ran, and nothing is lost."""
    project.start()
    project.until(lambda: project.rows)
    state = scheduler_state(project.place)
    assert state and state.pid == project.scheduler and state.groups == 1
    told = json.loads(project.hurry.courier(project.root, ["status", "--json"], {}).out)
    assert told["scheduler"]["pid"] == project.scheduler
    assert project.stop() == 0
    assert scheduler_state(project.place) is None and alive(project.place, "shopify") is None
    project.start()
    project.until(lambda: any(row.result == "succeeded" for row in project.rows))
    project.until(lambda: project.told("Ended"))
    assert project.stop(signal.SIGINT) == 0
    project.assert_ended_as_if_undisturbed()


def test_files_are_followed_and_a_broken_edit_changes_nothing(project: Scheduled) -> None:
    """A second scheduler is refused meanwhile."""
    file = project.root / "courier_groups.yaml"
    good = file.read_text("utf-8")
    project.start()
    project.until(lambda: project.told("Ended"))
    second = project.hurry.leave(project.root, project.fired.served, ["schedule", "start"], project.root / "second")
    assert project.hurry.wait(second) == 1
    assert f"pid {project.scheduler}" in (project.root / "second").read_text("utf-8")
    file.write_text(good + "    schopify:\n", "utf-8")
    project.until(lambda: project.told("KeptLastGood"))
    assert [problem["rule"] for problem in project.told("KeptLastGood")[0]["problems"]] == ["unknown-courier"]
    file.write_text(good + good.replace("shopify:\n  sch", "later:\n  sch"), "utf-8")
    project.until(lambda: project.told("Reloaded"))
    file.write_text(good.replace("shopify:\n  sch", "later:\n  sch"), "utf-8")
    project.until(lambda: len(project.told("Reloaded")) == 2)
    counts = [tuple(event[name] for name in ("groups", "added", "removed")) for event in project.told("Reloaded")]
    assert counts == [(2, 1, 0), (1, 0, 1)]
    assert project.stop() == 0
    assert len(project.told("KeptLastGood")) == 1
    assert len(project.rows) == 1


def test_groups_take_turns_and_wait_for_one_another(project: Scheduled) -> None:
    """One place, three groups: one run at a time, and the first of them after the one that it waits for."""
    project.add_group("a_first", "  constraints:\n    - { group: third, wait: 1h }\n")
    project.add_group("third")
    project.start("--most", "1")
    project.until(lambda: len(project.told("Ended")) == 3)
    assert project.stop() == 0
    assert [event["group"] for event in project.told("Started")] == ["shopify", "third", "a_first"]
    assert [event["group"] for event in project.told("Waiting")] == ["a_first"]
    rows = [row for name in ("shopify", "third", "a_first") for row in project.rows_of(name)]
    assert [row.result for row in rows] == ["succeeded"] * 3
    assert all(before.ended and before.ended <= after.started for before, after in pairwise(rows))


def test_what_cannot_begin_has_failed_and_what_waits_for_it_is_blocked(project: Scheduled) -> None:
    """Both are in the history with their reasons; no process is started for what is blocked."""
    file = project.root / "couriers" / "shopify.yaml"
    file.write_text(file.read_text("utf-8").replace("${SHOPIFY_ACCESS_TOKEN}", "${NOT_SET_ANYWHERE}"), "utf-8")
    project.add_group("later", "  constraints:\n    - { group: shopify }\n")
    project.start()
    project.until(lambda: len(project.told("Ended")) == 2)
    assert project.stop() == 0
    rows = [*project.rows, *project.rows_of("later")]
    assert [row.result for row in rows] == ["failed", "blocked"]
    assert "NOT_SET_ANYWHERE" in (rows[0].problem or "")
    assert "courier run --group later --ignore-constraints" in (rows[1].fix or "")
    assert [event["group"] for event in project.told("Started")] == ["shopify"]
