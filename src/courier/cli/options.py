"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

project_option = click.option(
    "--project",
    "root",
    metavar="DIR",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The project's folder. Default: the nearest one above with courier_groups.yaml.",
)
sandbox_option = click.option("--sandbox", is_flag=True, help="Use the built-in made-up shop and its own database.")
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
streaming_json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on stdout, events as JSON lines on stderr."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Only problems and the last line.")
verbose_option = click.option("--verbose", "-v", is_flag=True, help="Every event, a line each.")


def period_options(command: Command) -> Command:
    """--day, --since, --until, --all and --no-offset."""
    for option in (
        click.option("--no-offset", is_flag=True, help="Do not reach back by the group's offset."),
        click.option("--all", "everything", is_flag=True, help="Everything, from the beginning."),
        click.option("--until", metavar="TIME", help="End of the period, exclusive."),
        click.option(
            "--since", metavar="TIME", help="Start of the period: a date, or an instant such as 2026-11-20T06:30:00Z."
        ),
        click.option("--day", metavar="DATE", help="One calendar day in the group's time zone, such as 2026-11-20."),
    ):
        command = option(command)
    return command


run_type_option = click.option(
    "--run-type", type=click.Choice(["full", "source"]), help="source: couriers only, no activations."
)
scheduled_option = click.option(
    "--scheduled",
    metavar="INSTANT",
    help="The instant that a schedule fired for, with --group: the period ends there, and a covered one is not run.",
)


def allowance_options(command: Command) -> Command:
    """--error-limit, --skip-feed and --ignore-constraints: for this run only."""
    for option in (
        click.option("--ignore-constraints", is_flag=True, help="Do not wait for other groups, this time."),
        click.option(
            "--skip-feed",
            "skip_feeds",
            metavar="NAME",
            multiple=True,
            help="Leave this feed out, this time: the next run covers its period. May be repeated.",
        ),
        click.option(
            "--error-limit",
            "error_limit",
            metavar="PERCENT",
            type=click.FloatRange(0, 100),
            help="So many of each feed's records may be in error, this time.",
        ),
    ):
        command = option(command)
    return command


def choice_options(command: Command) -> Command:
    """--group, or --courier and --feed."""
    for option in (
        click.option(
            "--feed", "feeds", metavar="NAME", multiple=True, help="With --courier: only this feed. May be repeated."
        ),
        click.option("--courier", "courier", metavar="NAME", help="One courier, outside of any group."),
        click.option("--group", "group", metavar="NAME", help="A courier group of courier_groups.yaml."),
    ):
        command = option(command)
    return command
