"""A project that was found good is known again only while nothing that was checked has changed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from courier.cli.init import write_project
from courier.config.load import load_project
from courier.config.project import Project
from courier.runtime.known_good import recall, remember, stamp


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_project(tmp_path)
    (tmp_path / "alerts.yaml").write_text(
        "targets:\n  ops: ${OPS}\nalerts:\n  - { to: ops, on: late, groups: shopify }\n"
    )
    found = load_project(tmp_path).project
    assert found is not None
    return found


def test_an_unchanged_project_is_known_again_as_it_was(project: Project) -> None:
    """Remembering and recalling is the identity."""
    then = stamp(project.root)
    remember(project, then)
    assert recall(project.root, stamp(project.root)) == project
    assert (project.root / ".courier" / "known_good").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "name",
    [
        "alerts.yaml",
        "courier.yaml",
        "courier_groups.yaml",
        "couriers/shopify.yaml",
        "domain_tables/shopify/order.yaml",
        "couriers/new.yaml",
        "activations/mavera_cohorts.sql",
    ],
)
def test_any_changed_or_new_file_makes_it_unknown(project: Project, name: str) -> None:
    """What was never checked is never recalled."""
    remember(project, stamp(project.root))
    with (project.root / name).open("a") as file:
        file.write("\n")
    assert recall(project.root, stamp(project.root)) is None


def test_a_project_that_changed_while_it_was_checked_is_not_remembered(project: Project) -> None:
    then = stamp(project.root)
    (project.root / "semantic_tags.yaml").write_text("tags: {}\n")
    remember(project, then)
    assert not (project.root / ".courier" / "known_good").exists()


class _Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_planted_file_runs_no_code(project: Project) -> None:
    """Only values of the project's own kinds are made from what lies in the folder."""
    now = stamp(project.root)
    made = project.root / "made"
    (project.root / ".courier" / "known_good").write_bytes(now + pickle.dumps(_Hostile(made)))
    assert recall(project.root, now) is None
    assert not made.exists()


@pytest.mark.parametrize("keep", [0, 10, 40, 1000])
def test_a_file_cut_short_is_ignored(project: Project, keep: int) -> None:
    now = stamp(project.root)
    remember(project, now)
    path = project.root / ".courier" / "known_good"
    path.write_bytes(path.read_bytes()[:keep])
    assert recall(project.root, now) is None
