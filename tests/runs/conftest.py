"""Projects to try: one without a row, and one that holds the whole shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.cli.project import open_project
from tests.runs.hurried import Hurried, shared
from tests.runs.tried import TABLES, Tried, make


@pytest.fixture(scope="session")
def fresh_once(tmp_path_factory: pytest.TempPathFactory, hurry: Hurried) -> Tried:
    made = make(tmp_path_factory.mktemp("fresh") / "project", hurry)
    open_project(made.root)  # so that it is known to be good, and its copies are
    return made


@pytest.fixture(scope="session")
def loaded_once(fresh_once: Tried, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """The undisturbed run that others are compared with: 13 tables, and what the shop's own books say."""
    project = fresh_once.copy(tmp_path_factory.mktemp("loaded") / "project")
    project.run()
    hashes = project.hashes()
    assert len(hashes) == TABLES
    assert hashes == project.truth()
    assert hashes == typed(project, "tables", "--sandbox", "--hash", "--json")
    assert hashes == typed(project, "sandbox", "truth", "--json")
    return project


@pytest.fixture
def fresh(fresh_once: Tried, tmp_path: Path) -> Tried:
    """A project of one's own that nothing was loaded into."""
    return fresh_once.copy(tmp_path / "project")


@pytest.fixture
def loaded(loaded_once: Tried, tmp_path: Path) -> Tried:
    """A project of one's own that holds the whole shop."""
    return loaded_once.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def hurry() -> Hurried:
    """What starts couriers quickly."""
    return shared()


def typed(project: Tried, *command: str) -> dict[str, str]:
    """Table -> hash, as a command says it."""
    return {one["table"].removeprefix("shopify."): one["hash"] for one in project.courier(*command).object["tables"]}
