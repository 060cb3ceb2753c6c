"""courier schedule: the next fires, with each courier's exact period and request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier import clock
from courier.cli.fleets import gathered
from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import open_project, pick_group, place_of
from courier.cli.schedule_start import start as schedule_start
from courier.cli.table import print_table
from courier.cli.validate import in_words
from courier.clock import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from courier.config.project import CourierGroup, Project
    from courier.runtime.agenda import Appointment

BY_HAND = "runs only by hand: courier run --group"


@click.group(short_help="What fires next, over which periods.", invoke_without_command=True)
@click.option(
    "--from", "start", metavar="TIME", help="Fires after this instant, such as 2026-11-20T06:30:00Z. Default: now."
)
@click.option("--next", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many per group.")
@click.option("--group", "group", metavar="NAME", help="Only this group of courier_groups.yaml.")
@project_option
@sandbox_option
@json_option
@click.pass_context
def schedule(
    context: click.Context,
    start: str | None,
    count: int,
    group: str | None,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """List the next fires of the groups, with the exact UTC period and request of each courier.

    The first period begins where the tables are loaded up to; later ones go on from there, as if each run succeeded.
    What a clock change does to a fire is said. Sends no request and writes nothing.
    """
    if context.invoked_subcommand is not None:
        return
    project = open_project(root)
    groups = [pick_group(project, group)] if group else list(project.groups.values())
    found = _appointments(project, groups, sandbox, _instant(start, groups if group else []), count)
    if as_json:
        fires = [one.as_json() for one in found]
        print_json({"version": 1, "sandbox": sandbox, "groups": [_as_json(one) for one in groups], "fires": fires})
        return
    _show(project, groups, found)
    mark(sandbox)


def _instant(written: str | None, groups: Sequence[CourierGroup]) -> datetime:
    """A local time is meant in the time zone of the group that was asked for, else in UTC."""
    from courier.runtime.period import parse_instant

    return parse_instant(written, groups[0].timezone if groups else "UTC") if written else clock.now()


def _appointments(
    project: Project, groups: Sequence[CourierGroup], sandbox: bool, start: datetime, count: int
) -> tuple[Appointment, ...]:
    from courier.runtime.agenda import agenda
    from courier.runtime.foresight import loaded_up_to

    couriers = {member.name for group in groups for member in group.couriers}
    watermarks = loaded_up_to(project, place_of(project.root, sandbox), sorted(couriers))
    return agenda(project, groups, start, count, watermarks)


def _as_json(group: CourierGroup) -> dict[str, Any]:
    return {
        "group": group.name,
        "schedule": group.schedule,
        "timezone": group.timezone,
        "in_words": in_words(group),
        "enabled": group.enabled,
        "warning": None if group.schedule else f"{BY_HAND} {group.name}",
    }


def _show(project: Project, groups: Sequence[CourierGroup], found: Sequence[Appointment]) -> None:
    for group in groups:
        say(f"{group.name}: {in_words(group) if group.schedule else f'{BY_HAND} {group.name}'}")
    if found:
        together = gathered(project, found, lambda one: one.courier, _row_but_courier)
        rows = [_row(replace(same[0], courier=name)) for name, same in together]
        print_table(["fires at", "local time", "group", "courier", "period", "request"], rows)
    unlike = [one for one in found if one.period and not one.alike]
    for name in sorted({project.couriers[one.courier].fleet or one.courier for one in unlike}):
        say(f"{name}: its feeds differ; shown is what reaches back the furthest, --json has each")
    for line in _notes(found):
        say(line)


def _row_but_courier(one: Appointment) -> tuple[str, ...]:
    return _row(replace(one, courier=""))


def _row(one: Appointment) -> tuple[str, ...]:
    local = f"{one.local:%Y-%m-%d %H:%M} {one.timezone}"
    period, request = (str(one.period), str(one.request)) if one.period else ("nothing to load", "")
    return rfc3339(one.fires_at), local, one.group, one.courier, period, request


def _notes(found: Sequence[Appointment]) -> Iterator[str]:
    """Each warning once, with its instants; without them where it holds for all that was listed of the group."""
    instants: dict[tuple[str, str], list[str]] = {}
    fires: dict[str, set[str]] = {}
    for one in found:
        fires.setdefault(one.group, set()).add(rfc3339(one.fires_at))
        for warning in one.warnings:
            instants.setdefault((one.group, warning), []).append(rfc3339(one.fires_at))
    for (group, warning), when in instants.items():
        always = len(when) > 1 and set(when) == fires[group]
        yield f"{group}: {warning}" if always else f"{group} at {', '.join(dict.fromkeys(when))}: {warning}"


schedule.add_command(schedule_start)
