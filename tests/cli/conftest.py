"""A project as `courier init` writes it, and one that has been run in the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.process import Done, courier, started


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project that nothing has run in."""
    assert courier(tmp_path, "init", "p").code == 0
    return tmp_path / "p"


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
