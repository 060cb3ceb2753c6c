"""Names that Postgres would cut are refused before anything is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from courier.config.load import load_project
from courier.config.project import Destination, Project
from courier.storage.long_names import LONGEST, check_names
from courier.storage.target import side_name
from tests.config.projects import write_project


def named(project: Project, name: str) -> Project:
    """The project, its one courier called so."""
    (courier,) = project.couriers.values()
    return replace(project, couriers={name: replace(courier, name=name)}, destination=Destination("postgres"))


def test_a_name_is_refused_from_the_byte_on_that_postgres_would_cut(tmp_path: Path) -> None:
    """The longest name is that of a table beside a child table."""
    project = load_project(write_project(tmp_path)).project
    assert project is not None
    (courier,) = project.couriers.values()
    room = LONGEST - max(len(side_name("", feed.name)) for feed in courier.feeds)
    assert check_names(named(project, "x" * room)) == []
    (problem,) = check_names(named(project, "x" * (room + 1)))
    assert problem.rule == "long-name"
    assert "1 bytes shorter" in problem.fix
    assert check_names(replace(named(project, "x" * 80), destination=Destination())) == []
