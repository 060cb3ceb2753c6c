"""courier plan: what a run would do, without doing it: periods, requests, cost, and changes to tables."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from courier.cli.asked import asked_for, chosen, intentions, of_run_type
from courier.cli.fleets import MOST_LISTED, gathered
from courier.cli.options import (
    choice_options,
    json_option,
    period_options,
    project_option,
    run_type_option,
    sandbox_option,
    scheduled_option,
)
from courier.cli.output import duration, mark, print_json, say
from courier.cli.project import open_project, place_of
from courier.cli.table import number, print_table
from courier.clock import Interval, rfc3339

if TYPE_CHECKING:
    from courier.config.project import Courier, CourierGroup, Project
    from courier.connectors.contract import Estimate
    from courier.runtime.foresight import Foresight
    from courier.runtime.group_foresight import GroupForesight
    from courier.runtime.group_run import Asked
    from courier.runtime.place import Place


@click.command(short_help="Show what a run would do, without doing it.")
@choice_options
@period_options
@run_type_option
@scheduled_option
@project_option
@sandbox_option
@json_option
def plan(
    *,
    group: str | None,
    courier: str | None,
    feeds: tuple[str, ...],
    run_type: Literal["full", "source"] | None,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
    **periods: Any,
) -> None:
    """Show the exact UTC periods and requests of a run, their cost, and what would change in the tables.

    Of a group also its constraints, whether they hold now, and its activations. Sends no request and writes nothing.
    What the files leave out is shown with the value that counts.
    """
    from courier.runtime.foresight import foresee_all
    from courier.runtime.place import one_session

    project = open_project(root)
    what = of_run_type(chosen(project, group, courier, feeds), run_type)
    asked = asked_for(what, feeds, periods)
    place = place_of(project.root, sandbox)
    with one_session(place) as connected:
        foreseen = foresee_all(project, connected, intentions(project, what, asked))
    seen = [(one, settings(project, what, one.courier)) for one in foreseen]
    around = None if isinstance(what, str) else _around(place, what, asked)
    if as_json:
        couriers = [{**one.as_json(), "settings": set_to} for one, set_to in seen]
        whole = around.as_json() if around else {}
        print_json({"version": 1, "sandbox": sandbox, "group": group, **whole, "couriers": couriers})
        return
    if around:
        _show_group(around)
    _show_all(project, seen)
    mark(sandbox)
    say("nothing was sent; how many pages a request takes is known once the source has counted its records")


def _around(place: Place, group: CourierGroup, asked: Asked) -> GroupForesight:
    from courier.runtime.group_foresight import foresee_group
    from courier.runtime.history import History

    return foresee_group(History(place.history), group, asked, asked.now)


def _show_group(seen: GroupForesight) -> None:
    """The instant, what the group would do, its constraints and activations."""
    decision = seen.decision
    until = f" until {rfc3339(decision.until)}" if decision.answer == "wait" and decision.until else ""
    said = f"{decision.answer}: {decision.reason}{until}" if decision.reason else decision.answer
    click.echo(f"scheduled: {rfc3339(seen.instant)}")
    click.echo(f"decision: {said}")
    for one in seen.constraints:
        holds = "holds" if one.holds else f"does not hold; waited for until {rfc3339(one.until)}"
        click.echo(f"constraint: {one.constraint.group} {holds}")
    click.echo(f"activations: {', '.join(seen.activations) or 'none'}")
    click.echo()


def _show_all(project: Project, seen: Sequence[tuple[Foresight, dict[str, str]]]) -> None:
    """Each in full; of many stores the first, and of the others in a line what is not the same."""
    told: set[str] = set()
    together = gathered(project, seen, lambda one: one[0].courier, _alike)
    for name, ((one, set_to), *_) in together:
        fleet = project.couriers[one.courier].fleet
        if fleet not in told or len(together) <= MOST_LISTED // 4:
            _show(name, one, set_to)
            told |= {fleet} if fleet else set()
            continue
        periods = {str(plan.period) for plan in one.plans if plan.period}
        what = periods.pop() if len(periods) == 1 else f"{len(periods)} periods: courier plan --courier {one.courier}"
        click.echo(f"courier {name}: {what}" + (f"; {len(one.changes)} tables or columns" if one.changes else ""))


def _alike(one: tuple[Foresight, dict[str, str]]) -> Hashable:
    seen, settled = one
    plans = tuple((plan.feed.name, plan.period, plan.request, plan.skipped) for plan in seen.plans)
    changes = tuple(change.replace(f"{seen.courier}.", "") for change in seen.changes)
    return tuple(settled.items()), plans, changes


def _show(name: str, seen: Foresight, settled: dict[str, str]) -> None:
    click.echo(f"courier {name}")
    for name, value in settled.items():
        click.echo(f"  {name}: {value}")
    click.echo()
    rows = [(plan.feed.name, plan.feed.load, *_times(plan.period, plan.request, plan.skipped)) for plan in seen.plans]
    print_table(["feed", "load", "period", "request"], rows)
    if seen.estimates:
        click.echo()
        _costs(seen)
    if seen.changes:
        click.echo()
    for change in seen.changes:
        click.echo(change)


def _costs(seen: Foresight) -> None:
    if any(estimate.paces for estimate, _ in seen.estimates):
        _durations(seen)
        return
    costs = [(estimate, ", ".join(names)) for estimate, names in seen.estimates]
    print_table(
        ["request", "mode", "records a page", "cost a page", "feeds"],
        [(one.request, _mode(one), number(one.page_size), number(one.page_cost), names) for one, names in costs],
        right=["records a page", "cost a page"],
    )


def _durations(seen: Foresight) -> None:
    """Of a source whose limits count requests: how fast it lets itself be read, and how long that takes."""
    rows, whole = [], 0.0
    for estimate, names in seen.estimates:
        seconds = seen.seconds(estimate, names)
        whole += seconds or 0
        most, what = estimate.paces[0].a_minute
        pace = f"{most:,} {what} a minute"
        told = "not known before the first load" if seconds is None else duration(ceil(seconds))
        rows.append((estimate.request, number(estimate.page_size), pace, told, ", ".join(names)))
    print_table(["request", "records a page", "at most", "duration", "feeds"], rows, right=["records a page"])
    if whole:
        click.echo(f"at the source's limits: {duration(ceil(whole))}, if it holds as many records as the tables")


def _mode(estimate: Estimate) -> str:
    above = estimate.bulk_above
    return estimate.mode if above is None else f"{estimate.mode}: bulk above {above:,} records, counted first"


def _times(period: Interval | None, request: Interval | None, skipped: str) -> tuple[str, str]:
    return (f"left out: {skipped}", "") if skipped else (str(period), str(request))


def settings(project: Project, what: CourierGroup | str, name: str) -> dict[str, str]:
    """What the files say or leave out, as it counts for this courier."""
    from courier.config.project import CourierGroup

    courier = project.couriers[name]
    return {**_of_courier(courier), **(_of_group(what, name) if isinstance(what, CourierGroup) else {})}


def _of_courier(courier: Courier) -> dict[str, str]:
    limits = sorted({f"{feed.error_limit}%" for feed in courier.feeds})
    return {
        "connector": courier.connector,
        "API version": courier.api_version or "the connector's own",
        "since": rfc3339(courier.since) if courier.since else "the beginning",
        "error limit": ", ".join(limits),
    }


def _of_group(group: CourierGroup, name: str) -> dict[str, str]:
    from courier.cli.validate import in_words

    member: Any = next(one for one in group.couriers if one.name == name)
    return {
        "group": f"{group.name}, run type {group.run_type}",
        "schedule": in_words(group),
        "offset": _span(member.offset),
        "wait": _span(member.wait),
        "required": "yes" if member.required else "no",
    }


def _span(value: timedelta) -> str:
    return duration(value.total_seconds()) if value else "none"
