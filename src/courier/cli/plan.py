"""courier plan: what a run would do, without doing it: periods, requests, cost, and changes to tables."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from courier.cli.asked import asked_for, chosen, intentions, timezone_of
from courier.cli.options import choice_options, json_option, period_options, project_option, sandbox_option
from courier.cli.output import print_json, print_table, say
from courier.cli.project import open_project
from courier.clock import Interval
from courier.config.project import Project


@click.command()
@choice_options
@period_options
@project_option
@sandbox_option
@json_option
def plan(
    group: str | None,
    courier: str | None,
    feeds: tuple[str, ...],
    day: str | None,
    since: str | None,
    until: str | None,
    everything: bool,
    no_offset: bool,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """Show the exact UTC periods and requests of a run, their cost, and what would change in the tables.

    Sends no request. Defaults that the files leave out are shown here.
    """
    from courier.runtime.foresight import foresee
    from courier.runtime.place import Place

    project = open_project(root)
    what = chosen(project, group, courier, feeds)
    asked = asked_for(
        timezone_of(what),
        feeds,
        day=day,
        since=since,
        until=until,
        everything_=everything,
        no_offset=no_offset,
    )
    place = Place(project.root, sandbox)
    seen = [foresee(project, place, intention) for intention in intentions(what, asked)]
    if as_json:
        print_json({"version": 1, "couriers": [one.as_json() for one in seen]})
        return
    for one in seen:
        _show(project, one)


def _show(project: Project, seen: Any) -> None:
    say(f"courier {seen.courier}, connector {project.couriers[seen.courier].connector}")
    print_table(
        ["feed", "load", "period", "request"],
        [
            (plan.feed.name, plan.feed.load, _text(plan.period, plan.skipped), _text(plan.request, ""))
            for plan in seen.plans
        ],
    )
    print_table(
        ["request", "feeds", "records a page", "cost a page"],
        [
            (one["request"], ", ".join(one["feeds"]), one["page_size"], one["page_cost"])
            for one in (dict(asdict(estimate), feeds=names) for estimate, names in seen.estimates)
        ],
        right=["records a page", "cost a page"],
    )
    for change in seen.changes:
        say(change)


def _text(interval: Interval | None, otherwise: str) -> str:
    return str(interval) if interval else otherwise
