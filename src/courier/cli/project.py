"""From the command line to a project without problems, and to its groups and couriers by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from courier.cli.output import ProjectInvalid, show_problems
from courier.config.suggestions import did_you_mean
from courier.errors import UsageError
from courier.opening import all_problems, find_root, opening, place_of, read_project

if TYPE_CHECKING:
    from courier.config.project import Courier, CourierGroup, Project

__all__ = ["all_problems", "find_root", "open_project", "opening", "pick_courier", "pick_group", "place_of"]


def open_project(given: Path | None) -> Project:
    """A project without problems. Raises ProjectInvalid with all of them."""
    project, problems = read_project(find_root(given))
    if project is None:
        raise ProjectInvalid(problems)
    if problems:  # warnings stop nothing
        show_problems(problems)
    return project


def pick_group(project: Project, name: str) -> CourierGroup:
    if name not in project.groups:
        raise UsageError(f"there is no group {name!r} in courier_groups.yaml", fix=did_you_mean(name, project.groups))
    return project.groups[name]


def pick_courier(project: Project, name: str, feeds: tuple[str, ...]) -> Courier:
    """The courier; of one with many stores, that of the first. Raises UsageError."""
    if name not in project.couriers and name not in project.fleets:
        known = [*project.couriers, *project.fleets]
        raise UsageError(f"there is no couriers/{name}.yaml", fix=did_you_mean(name, known))
    courier = project.courier_of(name)
    known = [feed.name for feed in courier.feeds]
    for feed in feeds:
        if feed not in known:
            raise UsageError(f"courier {name} has no feed {feed!r}", fix=did_you_mean(feed, known))
    return courier
