"""Postgres cuts a name after 63 bytes, and takes two names that begin alike for one."""

from __future__ import annotations

from collections.abc import Iterator

from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Courier, Project
from courier.storage.target import side_name

LONGEST = 63


def check_names(project: Project) -> list[Problem]:
    """The couriers whose tables would have names that are too long, of a project whose destination is Postgres."""
    if project.destination.type != "postgres":
        return []
    return [problem for courier in project.couriers.values() for problem in _check(project, courier)]


def _check(project: Project, courier: Courier) -> Iterator[Problem]:
    longest = max((side_name(courier.name, feed.name) for feed in courier.feeds), key=_bytes, default=courier.name)
    if (beyond := _bytes(longest) - LONGEST) > 0:
        message = f"courier {courier.name}: Postgres cuts names after {LONGEST} bytes, and `{longest}` has more"
        fix = f"Give it a name that is {beyond} bytes shorter."
        yield problem_at(project, courier.path, (), "long-name", message, fix)


def _bytes(name: str) -> int:
    return len(name.encode())
