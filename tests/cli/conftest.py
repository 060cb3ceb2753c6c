"""A project as `courier init` writes it, and one that has been run in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.cli.project import open_project
from tests.cli.process import Done, courier, started
from tests.runs.hurried import copied


@pytest.fixture(scope="session")
def project_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    assert courier(folder, "init", "p").code == 0
    open_project(folder / "p")  # so that it is known to be good, and its copies are
    return folder / "p"


@pytest.fixture
def project(project_once: Path, tmp_path: Path) -> Path:
    """A fresh project that nothing has run in."""
    return copied(project_once, tmp_path / "p")


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """A project after its first run in the sandbox, for tests that only look at it; and how that run went."""
    folder = tmp_path_factory.mktemp("loaded")
    assert started(folder, "init").code == 0
    return folder, started(folder, "run", "--group", "shopify", "--sandbox")


@pytest.fixture(scope="session")
def loaded(first_run: tuple[Path, Done]) -> Path:
    folder, done = first_run
    assert done.code == 0
    return folder
