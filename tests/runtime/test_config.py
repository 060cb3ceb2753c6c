"""What a group's run keeps as `config`: whether what it runs was written as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from courier.cli.init import write_project
from courier.cli.schedule_start import read
from courier.config.load import load_project
from courier.config.project import Project
from courier.runtime.group_run import config_of
from tests.runs.hurried import edit

WITHOUT = "  # activations: [mavera_cohorts]"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter project, whose group plans one of its activations."""
    root = tmp_path_factory.mktemp("config")
    write_project(root)
    edit(root / "courier_groups.yaml", WITHOUT, WITHOUT.replace("# ", ""))
    return root


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    found = load_project(root).project
    assert found is not None
    return found


def with_other_courier(project: Project) -> Project:
    other = replace(project.couriers["shopify"], api_version="2026-07")
    return replace(project, couriers={**project.couriers, "shopify": other})


def with_other_activation(project: Project) -> Project:
    other = replace(project.activations["mavera_cohorts"], sql="SELECT 1 AS customers")
    return replace(project, activations={**project.activations, "mavera_cohorts": other})


def with_another_activation_that_is_not_the_groups(project: Project) -> Project:
    name = next(name for name in project.activations if name not in project.groups["shopify"].activations)
    other = replace(project.activations[name], sql="SELECT 1 AS customers")
    return replace(project, activations={**project.activations, name: other})


@pytest.mark.parametrize(
    ("changed", "is_other"),
    [
        (with_other_courier, True),
        (with_other_activation, True),
        (with_another_activation_that_is_not_the_groups, False),
    ],
)
def test_config_changes_with_what_the_group_runs(
    project: Project, changed: Callable[[Project], Project], is_other: bool
) -> None:
    group = project.groups["shopify"]
    assert (config_of(changed(project), group) != config_of(project, group)) == is_other


def test_a_scheduler_knows_the_config_of_its_runs(root: Path, project: Project) -> None:
    """What it compares with is what `courier run` keeps, of every group."""
    assert read(root).configs == {name: config_of(project, group) for name, group in project.groups.items()}
