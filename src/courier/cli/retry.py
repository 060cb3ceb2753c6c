"""courier retry: make rows again of what a failed run fetched, after its YAML was mended."""

from __future__ import annotations

from pathlib import Path

import click

from courier import clock
from courier.cli.options import json_option, project_option, quiet_option, sandbox_option, verbose_option
from courier.cli.output import duration, print_json, say
from courier.cli.project import open_project, opening


@click.command()
@click.argument("run")
@project_option
@sandbox_option
@json_option
@quiet_option
@verbose_option
@click.pass_context
def retry(
    context: click.Context, run: str, root: Path | None, sandbox: bool, as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Shape, land and commit RUN again without fetching. Its raw records are kept for 7 days."""
    from courier.cli.progress import rendering
    from courier.runtime.context import Context
    from courier.runtime.group_run import single_result
    from courier.runtime.place import Place
    from courier.runtime.retry import retry_run

    project = open_project(root)
    place = Place(project.root, sandbox)
    started = clock.now()
    with opening(project, place) as access, rendering(as_json=as_json, quiet=quiet, verbose=verbose) as report:
        result = single_result(started, retry_run(Context(project, place, access, report), run))
    if as_json:
        print_json(result.as_json())
    said = "Completed in" if result.result == "succeeded" else "Failed after"
    say(f"{said} {duration((result.ended - result.started).total_seconds())}{' (sandbox)' if sandbox else ''}")
    context.exit(0 if result.result == "succeeded" else 1)
