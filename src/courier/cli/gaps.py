"""courier gaps: the periods that were never loaded, each with the command that fills it."""

from __future__ import annotations

from pathlib import Path

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import open_project, pick_courier
from courier.cli.table import print_table


@click.command(short_help="The periods that were never loaded.")
@click.option("--courier", metavar="NAME", help="Only this courier's.")
@project_option
@sandbox_option
@json_option
def gaps(courier: str | None, root: Path | None, sandbox: bool, as_json: bool) -> None:
    """List the periods that no run has covered, by courier and feed, each with the command that fills it.

    A feed has none from its beginning to its last loaded instant if its runs followed one another.
    """
    from courier.runtime.gaps import find_gaps
    from courier.runtime.place import Place

    project = open_project(root)
    if courier is not None:
        pick_courier(project, courier, ())
    names = sorted(project.couriers) if courier is None else project.members(courier)
    found = find_gaps(Place(project.root, sandbox), [project.couriers[name] for name in names])
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "gaps": [gap.as_json() for gap in found]})
        return
    if found:
        rows = [(gap.courier, gap.feed, str(gap.period) if gap.period.until else "never loaded") for gap in found]
        print_table(["courier", "feed", "period"], rows)
        say("to fill them:")
        for gap in found:
            say(f"  {gap.command}")
    else:
        say("no gaps: every feed is loaded from its beginning to its last run")
    mark(sandbox)
