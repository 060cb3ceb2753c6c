"""courier schedule start: run the groups of a project when their schedules fire, until it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import project_option, sandbox_option
from courier.cli.output import ProjectInvalid, as_json, say
from courier.cli.project import find_root, place_of
from courier.opening import read_project

if TYPE_CHECKING:
    from types import FrameType

    from courier.config.project import Project
    from courier.runtime.history import PastGroupRun
    from courier.runtime.place import Place
    from courier.runtime.scheduler.events import Event, Report
    from courier.runtime.scheduler.files import Found

GRACE = 60.0


def places() -> int:
    """Runs of groups at once: they wait for sources most of the time, but each may take half a GB while it shapes."""
    return max(4, 2 * (os.cpu_count() or 1))


@click.command(short_help="Run the groups when their schedules fire.")
@click.option(
    "--most", type=click.IntRange(min=1), help="Runs of groups at once. Default: twice the cores, at least 4."
)
@click.option(
    "--grace",
    type=click.FloatRange(min=0),
    default=GRACE,
    show_default=True,
    help="Seconds that runs may take to end when the scheduler is stopped.",
)
@project_option
@sandbox_option
@click.option("--json", "as_json_lines", is_flag=True, help="Events as JSON lines on stderr.")
def start(most: int | None, grace: float, root: Path | None, sandbox: bool, as_json_lines: bool) -> None:
    """Run the project's groups when their schedules fire, each run in a process of its own, until it is stopped.

    One per project and machine. It can be killed at any moment: the next one goes on where it was.
    """
    from courier.runtime.scheduler.daemon import ProblemsFound, Scheduler, Settings
    from courier.runtime.scheduler.holding import held

    place = place_of(find_root(root), sandbox)
    with held(place):
        ended = partial(_send_alerts, place)
        scheduler = Scheduler(place, read, _report(as_json_lines), Settings(most or places(), grace), ended)
        _stop_at_signals(scheduler.stop)
        try:
            scheduler.run()
        except ProblemsFound as wrong:
            raise ProjectInvalid(wrong.found.problems) from None


def _send_alerts(place: Place, run: PastGroupRun) -> None:
    """In a process of its own: sending takes its time, and what it imports would stay in memory."""
    if run.result == "covered" or not (place.root / "alerts.yaml").exists():
        return
    command = [sys.executable, "-m", "courier", "alerts", "send", run.run, "--project", str(place.root)]
    command += ["--sandbox"] if place.sandbox else []
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)


def _report(as_json_lines: bool) -> Report:
    def report(event: Event) -> None:
        say(as_json(event.as_json()) if as_json_lines else event.say())
        sys.stderr.flush()

    return report


def _stop_at_signals(stop: object) -> None:
    assert callable(stop)

    def told(number: int, frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)


def read(root: Path) -> Found:
    """The project's groups and problems; an unchanged project is not checked once more."""
    from courier.runtime.scheduler.files import Found

    project, problems = read_project(root)
    if project is None:
        return Found(None, problems)
    return Found(project.groups, problems, _configs(project))


def _configs(project: Project) -> dict[str, str]:
    """Group -> what its runs have as `config`."""
    from courier.runtime.group_run import config_from
    from courier.runtime.run_folder import fingerprint

    couriers = {name: fingerprint(courier, project.destination) for name, courier in project.couriers.items()}
    activations = {name: fingerprint(one, project.destination) for name, one in project.activations.items()}
    return {
        group.name: config_from(
            group, [*(couriers[one.name] for one in group.couriers), *(activations[name] for name in group.activations)]
        )
        for group in project.groups.values()
    }
