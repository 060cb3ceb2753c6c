"""courier validate: everything that is wrong with the project's files, at once. Needs no secrets and no network."""

from __future__ import annotations

from pathlib import Path

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import ProjectInvalid, print_json, problem_as_json, say
from courier.cli.project import all_problems, find_root
from courier.config.project import CourierGroup, Project
from courier.config.render import render


@click.command()
@project_option
@json_option
def validate(root: Path | None, as_json: bool) -> None:
    """Check all files of the project and say what the schedules mean."""
    project, problems = all_problems(find_root(root))
    if project is None:
        raise ProjectInvalid(problems)
    if as_json:
        print_json({"version": 1, "problems": [problem_as_json(problem) for problem in problems]})
    for problem in problems:
        say(render(problem) + "\n")
    for line in summary(project):
        say(line)


def summary(project: Project) -> list[str]:
    """What the project holds, and each group's schedule in words."""
    feeds = {feed.table.path for courier in project.couriers.values() for feed in courier.feeds}
    counts = f"{len(project.couriers)} courier(s), {len(feeds)} domain tables, {len(project.tags)} semantic tags"
    return [*(f"{group.name}: {in_words(group)}" for group in project.groups.values()), f"no problems: {counts}"]


def in_words(group: CourierGroup) -> str:
    from courier.config.cron_words import cron_in_words

    if group.schedule is None:
        return "runs only by hand"
    words = f"{cron_in_words(group.schedule)}, {group.timezone}"
    return words if group.enabled else f"{words} (not enabled)"
