"""A project whose group has just fired, and schedulers of it that are killed: real processes all the same."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from courier import sandbox
from courier.clock import rfc3339
from courier.runtime.history import History, PastGroupRun
from courier.runtime.place import Place, is_group_running, is_running
from courier.runtime.scheduler.holding import scheduler_state
from courier.runtime.scheduler.in_hand import Standing
from courier.runtime.scheduler.launch import alive, log_of
from courier.runtime.scheduler.standings import Kept, Standings
from courier.sandbox.server import Sandbox
from tests.runs.hurried import SHOP, Hurried, hashes, write_shops_project

TABLES = ("customer", "order")
PATIENCE = 20.0


@dataclass(frozen=True)
class Fired:
    """A served shop, an instant that has just passed, and what a run for it leaves."""

    served: Sandbox
    scheduled: datetime
    hashes: dict[str, str]

    @property
    def schedule(self) -> str:
        return f"{self.scheduled.minute} {self.scheduled.hour} * * *"


@contextmanager
def fired(folder: Path, hurry: Hurried) -> Iterator[Fired]:
    scheduled = datetime.now(UTC).replace(second=0, microsecond=0)
    with sandbox.serve(sandbox.open_shop(folder / "shop", SHOP)) as served:
        control = folder / "control" / "project"
        write_shops_project(control, served, "pages", TABLES)
        assert hurry.run(control, served, more=["--scheduled", rfc3339(scheduled)]).code == 0
        told = hashes(control)
        assert told
        yield Fired(served, scheduled, told)


@dataclass
class Scheduled:
    """A project of its own. `scheduler` is the one that runs now."""

    root: Path
    fired: Fired
    hurry: Hurried
    scheduler: int | None = None
    started: list[Path] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=False)

    @property
    def rows(self) -> list[PastGroupRun]:
        return self.rows_of("shopify")

    def rows_of(self, group: str) -> list[PastGroupRun]:
        """The group's runs, oldest first."""
        return History(self.place.history).group_runs(group)[::-1]

    def add_group(self, name: str, more: str = "") -> None:
        """One more group that fired with the first one."""
        with (self.root / "courier_groups.yaml").open("a", encoding="utf-8") as file:
            file.write(f'{name}:\n  schedule: "{self.fired.schedule}"\n  couriers:\n    shopify:\n{more}')
        self._seen_an_hour_before(name)

    def _seen_an_hour_before(self, group: str) -> None:
        standing = Standing(self.fired.scheduled - timedelta(hours=1))
        Standings(self.place.state / "scheduler.db").save({group: Kept(self.fired.schedule, "UTC", standing)})

    def start(self, *more: str) -> None:
        err = self.root.with_name(f"err{len(self.started)}")
        self.started.append(err)
        self.scheduler = self.hurry.leave(self.root, self.fired.served, ["schedule", "start", "--json", *more], err)

    def kill(self) -> None:
        assert self.scheduler
        os.kill(self.scheduler, signal.SIGKILL)
        assert self.hurry.wait(self.scheduler) == -signal.SIGKILL

    def kill_run(self) -> None:
        found = alive(self.place, "shopify")
        if found and found.pid:
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.scheduler
        os.kill(self.scheduler, number)
        code, self.scheduler = self.hurry.wait(self.scheduler), None
        return code

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, of all schedulers so far."""
        lines = [line for err in self.started if err.exists() for line in err.read_text("utf-8").splitlines()]
        assert not [line for line in lines if not line.startswith("{")], lines
        return [event for line in lines if (event := json.loads(line))["event"] == kind]

    @property
    def is_ready(self) -> bool:
        """Whether the scheduler that was started last has said so."""
        last = self.started[-1]
        return last.exists() and '"Ready"' in last.read_text("utf-8")

    def until(self, holds: Callable[[], object]) -> None:
        begin = time.monotonic()
        while not holds():
            assert time.monotonic() - begin < PATIENCE, [err.read_text("utf-8") for err in self.started]
            time.sleep(0.01)

    def until_done(self) -> None:
        self.until(lambda: any(row.result == "succeeded" for row in self.rows))

    def assert_ended_as_if_undisturbed(self) -> None:
        """The tables are those of one undisturbed run, one run succeeded, and nothing is left: no process, no lock."""
        assert hashes(self.root) == self.fired.hashes
        results = [row.result for row in self.rows]
        assert results.count("succeeded") == 1 and set(results) <= {"succeeded", "killed", "interrupted"}, results
        assert alive(self.place, "shopify") is None
        assert not is_group_running(self.place, "shopify") and not is_running(self.place, "shopify")
        assert scheduler_state(self.place) is None
        kept = Standings(self.place.state / "scheduler.db").load()["shopify"].standing
        assert kept == Standing(self.fired.scheduled)
        assert log_of(self.place, "shopify").stat().st_mode & 0o777 == 0o600


def make(root: Path, fired: Fired, hurry: Hurried) -> Scheduled:
    """The project, seen last by a scheduler an hour before its group fired."""
    write_shops_project(root, fired.served, "pages", TABLES)
    (root / "courier_groups.yaml").write_text("", "utf-8")
    made = Scheduled(root, fired, hurry)
    made.add_group("shopify")
    return made


def live_through(seed: int, root: Path, fired: Fired, hurry: Hurried) -> tuple[str, ...]:
    """Kill schedulers and runs at random moments, then let one scheduler end its work. What was killed."""
    roll = Random(seed)
    project = make(root, fired, hurry)
    targets = tuple(roll.choice(("scheduler", "run", "both")) for _ in range(roll.choice((1, 2, 3))))
    project.start()
    for target in targets:
        if target != "scheduler":
            project.until(lambda: alive(project.place, "shopify") or _is_done(project))
        time.sleep(roll.uniform(0, 0.9))
        if target != "scheduler":
            project.kill_run()
        if target != "run":
            project.kill()
            project.start()
    project.until_done()
    # Before it is ready it has no way yet to end by a signal but to die of it.
    project.until(lambda: project.is_ready and _is_settled(project))
    assert project.stop() == 0
    project.assert_ended_as_if_undisturbed()
    return targets


def _is_done(project: Scheduled) -> bool:
    return any(row.result == "succeeded" for row in project.rows)


def _is_settled(project: Scheduled) -> bool:
    kept = Standings(project.place.state / "scheduler.db").load()["shopify"].standing
    return kept == Standing(project.fired.scheduled)
