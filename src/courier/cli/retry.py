"""courier retry: bring a failed run to its end, from what it has fetched or from its beginning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier import clock
from courier.cli.asked import allowance_of
from courier.cli.options import (
    allowance_options,
    project_option,
    quiet_option,
    sandbox_option,
    streaming_json_option,
    verbose_option,
)
from courier.cli.project import open_project, opening, place_of

if TYPE_CHECKING:
    from courier.config.project import Project
    from courier.runtime.context import Context
    from courier.runtime.history import PastGroupRun
    from courier.runtime.place import Place
    from courier.runtime.result import GroupResult
    from courier.runtime.retry import Again


@click.command(short_help="Bring a failed RUN to its end.")
@click.argument("run")
@click.option("--fetch", is_flag=True, help="Start over: fetch again, over the same periods.")
@allowance_options
@click.option("--no-wait", is_flag=True, help="Fail at once if it runs in another process.")
@project_option
@sandbox_option
@streaming_json_option
@quiet_option
@verbose_option
@click.pass_context
def retry(
    context: click.Context,
    /,
    run: str,
    fetch: bool,
    no_wait: bool,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **rest: Any,
) -> None:
    """Go on with RUN, of a courier or of a group, where it stopped: what is fetched is not fetched again.

    Of a group's run, only the couriers that have not committed run, at the same instant, and then its activations.
    Raw records stay for 7 days.
    """
    from courier.cli.progress import finish, rendering
    from courier.runtime.context import Context
    from courier.runtime.history import History
    from courier.runtime.retry import Again

    project = open_project(root)
    place = place_of(project.root, sandbox)
    past = History(place.history).find_group(run)
    again = Again(fetch, allowance_of(rest))
    shown = rendering(as_json=as_json, quiet=quiet, verbose=verbose)
    needed = _opened(project, place, past or run, fetch)
    with opening(project, place, needed, _activations(project, past)) as opened, shown as report:
        working = Context(project, place, opened.couriers, report, not no_wait, opened.activations)
        result = _retried(working, past or run, again, rest["ignore_constraints"])
    context.exit(finish(result, sandbox=sandbox, as_json=as_json))


def _retried(working: Context, what: PastGroupRun | str, again: Again, ignore_constraints: bool) -> GroupResult:
    from courier.runtime.group_retry import retry_group
    from courier.runtime.group_run import single_result
    from courier.runtime.retry import retry_run

    if isinstance(what, str):
        started = clock.now()
        return single_result(started, retry_run(working, what, again))
    return retry_group(working, what, again, ignore_constraints=ignore_constraints)


def _opened(project: Project, place: Place, what: PastGroupRun | str, fetch: bool) -> list[str]:
    """The couriers whose sources will be asked."""
    from courier.runtime.group_retry import to_be_opened
    from courier.runtime.history import History
    from courier.runtime.retry import needs_source, stored_run

    if isinstance(what, str):
        asks = fetch or needs_source(place, what)
        return [name for name in [stored_run(place, what).courier] if asks and name in project.couriers]
    group = project.groups.get(what.group)
    return to_be_opened(place, group, History(place.history).members_of(what), fetch) if group else []


def _activations(project: Project, past: PastGroupRun | None) -> tuple[str, ...]:
    """The activations that follow."""
    from courier.cli.asked import activations_of
    from courier.runtime.group_retry import group_again

    return () if past is None or past.group not in project.groups else activations_of(group_again(project, past))
