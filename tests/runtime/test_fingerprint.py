"""What a run was made under, as far as it decides whether another process may go on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.config.load import load_project
from courier.runtime.group_run import config_of
from courier.runtime.run_folder import fingerprint
from tests.config.projects import write_project


def under(root: Path, settings: str) -> tuple[str, str]:
    project = load_project(write_project(root, {"courier.yaml": settings})).project
    assert project is not None
    return fingerprint(project.couriers["shopify"], project.destination), config_of(project, project.groups["shopify"])


@pytest.mark.parametrize(
    "settings", ["destination: postgres\n", "destination: { type: postgres, url: '${SHOP_DATABASE}' }\n"]
)
def test_another_destination_is_another_configuration(tmp_path: Path, settings: str) -> None:
    """Its ledger knows of other periods, so a killed run of before must not commit into it."""
    before = under(tmp_path, "destination: duckdb\n")
    after = under(tmp_path, settings)
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert after == under(tmp_path, settings)


def test_saying_the_default_changes_nothing(tmp_path: Path) -> None:
    assert under(tmp_path, "destination:\n") == under(tmp_path, "destination: { type: duckdb }\n")
