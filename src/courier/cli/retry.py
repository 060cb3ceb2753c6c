"""courier retry: make rows again of what a failed run fetched, after its YAML was mended."""

from __future__ import annotations

from pathlib import Path

import click

from courier import clock
from courier.cli.options import project_option, quiet_option, sandbox_option, streaming_json_option, verbose_option
from courier.cli.project import open_project, opening


@click.command(short_help="Commit a failed RUN again without fetching.")
@click.argument("run")
@project_option
@sandbox_option
@streaming_json_option
@quiet_option
@verbose_option
@click.pass_context
def retry(
    context: click.Context, run: str, root: Path | None, sandbox: bool, as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Shape, land and commit RUN again without fetching. Its raw records are kept for 7 days."""
    from courier.cli.progress import finish, rendering
    from courier.runtime.context import Context
    from courier.runtime.group_run import single_result
    from courier.runtime.place import Place
    from courier.runtime.retry import retry_run

    project = open_project(root)
    place = Place(project.root, sandbox)
    started = clock.now()
    with opening(project, place) as access, rendering(as_json=as_json, quiet=quiet, verbose=verbose) as report:
        result = single_result(started, retry_run(Context(project, place, access, report), run))
    context.exit(finish(result, sandbox=sandbox, as_json=as_json))
