"""courier gaps: the periods that were never loaded, each with the command that fills it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.fleets import gathered
from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import open_project, pick_courier, place_of
from courier.cli.table import print_table

if TYPE_CHECKING:
    from courier.config.project import Project
    from courier.runtime.gaps import Gap


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

    project = open_project(root)
    if courier is not None:
        pick_courier(project, courier, ())
    names = sorted(project.couriers) if courier is None else project.members(courier)
    found = find_gaps(place_of(project.root, sandbox), [project.couriers[name] for name in names])
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "gaps": [gap.as_json() for gap in found]})
        return
    if found:
        together = gathered(project, found, lambda gap: gap.courier, lambda gap: (gap.feed, gap.period))
        rows = [
            (name, gaps[0].feed, str(gaps[0].period) if gaps[0].period.until else "never loaded")
            for name, gaps in together
        ]
        print_table(["courier", "feed", "period"], rows)
        say("to fill them:")
        for _, gaps in together:
            for command in _commands(project, gaps):
                say(f"  {command}")
    else:
        say("no gaps: every feed is loaded from its beginning to its last run")
    mark(sandbox)


def _commands(project: Project, gaps: Sequence[Gap]) -> Iterator[str]:
    """One for all stores where all have the gap, or where the others lose nothing by it; else the first ones."""
    fleet = project.couriers[gaps[0].courier].fleet
    never = gaps[0].period.until is None
    if fleet and len(gaps) > 1 and (never or len(gaps) == len(project.members(fleet))):
        yield gaps[0].command.replace(f"--courier {gaps[0].courier} ", f"--courier {fleet} ")
        return
    yield from (gap.command for gap in gaps[:MOST_SHOWN])
    if len(gaps) > MOST_SHOWN:
        yield f"and of {len(gaps) - MOST_SHOWN} stores more: courier gaps --json has each"


MOST_SHOWN = 3
"""Commands for the same gap of several stores."""
