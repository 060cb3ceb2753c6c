"""courier alerts: try whether the targets of alerts.yaml receive anything, and send a run's alerts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import print_json, say
from courier.cli.project import open_project, place_of
from courier.config.suggestions import did_you_mean
from courier.errors import ConfigurationError, CourierError, UsageError

if TYPE_CHECKING:
    from courier.config.project import Project


@click.group(short_help="Try where alerts.yaml sends alerts.")
def alerts() -> None:
    """Alerts of scheduled runs, which alerts.yaml sends through Apprise."""


@alerts.command(short_help="Send each target a test message.")
@click.option("--to", "names", metavar="NAME", multiple=True, help="Only this target. May be repeated.")
@project_option
@json_option
@click.pass_context
def test(context: click.Context, names: tuple[str, ...], root: Path | None, as_json: bool) -> None:
    """Send a test message to each target of alerts.yaml, and say what happened. Exits with 1 if one failed."""
    from courier.runtime.alerting import try_targets

    project = open_project(root)
    problems = try_targets(project, _targets(project, names))
    if as_json:
        sent = [{"target": name, "sent": not why, "problem": why or None} for name, why in problems.items()]
        print_json({"version": 1, "targets": sent})
    for name, why in problems.items():
        say(f"{name}: not sent: {why}" if why else f"{name}: sent")
    context.exit(1 if any(problems.values()) else 0)


@alerts.command(short_help="Send the alerts of a scheduled RUN of a group.")
@click.argument("run")
@project_option
@sandbox_option
@json_option
@click.pass_context
def send(context: click.Context, run: str, root: Path | None, sandbox: bool, as_json: bool) -> None:
    """Send the alerts that a scheduled RUN of a group gives rise to: once more, where they were sent already."""
    from courier.runtime.alerting.watch import tell_past
    from courier.runtime.history import History

    project = open_project(root)
    place = place_of(project.root, sandbox)
    found = History(place.history).find_group(run)
    if found is None:
        raise UsageError(f"there is no run of a group {run!r}", fix="courier runs lists them")
    problems = tell_past(project, place, found)
    if as_json:
        print_json({"version": 1, "run": run, "problems": list(problems)})
    for told in problems:
        say(told)
    context.exit(1 if problems else 0)


def _targets(project: Project, names: tuple[str, ...]) -> tuple[str, ...]:
    """The chosen targets, or all. Raises where there is none of the name, or no way to send at all."""
    from courier.runtime.alerting.send import INSTALL, can_send

    known = project.alerts.targets
    if not known:
        raise ConfigurationError(
            "this project has no alerts.yaml, so there is nobody to tell",
            fix="write `targets:` and below it `ops: ${ALERTS_OPS_URL}` into alerts.yaml, and set ALERTS_OPS_URL to an "
            "Apprise URL",
        )
    for name in names:
        if name not in known:
            raise UsageError(f"alerts.yaml has no target {name!r}", fix=did_you_mean(name, known))
    if not can_send():
        raise CourierError("alerts are sent by Apprise, which is not installed", fix=INSTALL)
    return tuple(dict.fromkeys(names)) or tuple(known)
