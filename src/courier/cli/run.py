"""courier run: fetch, prove and commit, with progress for a person or a line per event for a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier.cli.asked import activations_of, asked_for, check_allowance, chosen, couriers_of, of_run_type
from courier.cli.options import (
    allowance_options,
    choice_options,
    period_options,
    project_option,
    quiet_option,
    run_type_option,
    sandbox_option,
    scheduled_option,
    streaming_json_option,
    verbose_option,
)
from courier.cli.project import open_project, opening, place_of

if TYPE_CHECKING:
    from courier.config.project import CourierGroup
    from courier.runtime.context import Context
    from courier.runtime.group_run import Asked
    from courier.runtime.result import GroupResult


@click.command(short_help="Run a courier group, or one courier.")
@choice_options
@period_options
@run_type_option
@scheduled_option
@allowance_options
@click.option("--no-wait", is_flag=True, help="Fail at once if it runs in another process.")
@project_option
@sandbox_option
@streaming_json_option
@quiet_option
@verbose_option
@click.pass_context
def run(
    context: click.Context,
    /,
    group: str | None,
    courier: str | None,
    feeds: tuple[str, ...],
    no_wait: bool,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **rest: Any,
) -> None:
    """Run a courier group, or one courier, by hand.

    Without a period it covers what has happened since the last successful run. A run commits everything or nothing.
    Once a group's required couriers have committed, its activations are planned; `apply: automatic` applies them.
    """
    from courier.cli.progress import finish, rendering
    from courier.config.project import CourierGroup
    from courier.runtime.context import Context
    from courier.runtime.group_run import run_group, run_single

    project = open_project(root)
    what = chosen(project, group, courier, feeds)
    what = of_run_type(what, rest["run_type"])
    asked = asked_for(what, feeds, rest)
    check_allowance(project, what, asked)
    place = place_of(project.root, sandbox)
    shown = rendering(as_json=as_json, quiet=quiet, verbose=verbose)
    with opening(project, place, couriers_of(project, what), activations_of(what)) as opened, shown as report:
        working = Context(project, place, opened.couriers, report, not no_wait, opened.activations)
        if not isinstance(what, CourierGroup):
            result = run_single(working, what, asked)
        elif asked.trigger == "schedule" and project.alerts.targets:
            result = _watched(working, what, asked)
        else:
            result = run_group(working, what, asked)
    context.exit(finish(result, sandbox=sandbox, as_json=as_json))


def _watched(working: Context, group: CourierGroup, asked: Asked) -> GroupResult:
    """A run of the schedule, with its alerts."""
    from courier import clock
    from courier.runtime.alerting.watch import Watch, watched
    from courier.runtime.events import GroupNoticed
    from courier.runtime.group_run import run_group

    def notice(note: str) -> None:
        working.report(GroupNoticed(courier="", run="", at=clock.now(), group=group.name, note=note))

    with watched(Watch(working.project, working.place, group, asked.instant, notice)) as ended:
        result = run_group(working, group, asked)
        ended(result)
        return result
