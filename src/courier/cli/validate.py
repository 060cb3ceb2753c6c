"""courier validate: everything that is wrong with the project's files, at once. Needs no secrets and no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import plural, print_json, problem_as_json, say, show_problems
from courier.cli.project import all_problems, find_root

if TYPE_CHECKING:
    from courier.config.project import CourierGroup, Project

INVALID = 3


@click.command(short_help="Check all files of the project.")
@project_option
@json_option
@click.pass_context
def validate(context: click.Context, root: Path | None, as_json: bool) -> None:
    """Check all files of the project, show every problem with its place and fix, and say what the schedules mean.

    Needs no credentials and sends nothing. Exits with 3 if there is a problem; warnings are none.
    """
    project, problems = all_problems(find_root(root))
    if as_json:
        print_json({"version": 1, "problems": [problem_as_json(problem) for problem in problems]})
    if problems:
        show_problems(problems)
    if project is None:
        context.exit(INVALID)
    for line in summary(project):
        say(line)


def summary(project: Project) -> list[str]:
    """What the project holds, and each group's schedule in words."""
    feeds = {feed.table.path for courier in project.couriers.values() for feed in courier.feeds}
    counted = [(len(project.couriers), "courier"), (len(feeds), "domain table"), (len(project.tags), "semantic tag")]
    counted += [(len(project.activations), "activation")] if project.activations else []
    counts = ", ".join(plural(count, noun) for count, noun in counted)
    return [*(f"{group.name}: {in_words(group)}" for group in project.groups.values()), f"no problems: {counts}"]


def in_words(group: CourierGroup) -> str:
    """`At 06:30, America/New_York`."""
    from courier.config.cron_words import cron_in_words

    if group.schedule is None:
        return "runs only by hand"
    words = f"{cron_in_words(group.schedule)}, {group.timezone}"
    return words if group.enabled else f"{words} (not enabled)"
