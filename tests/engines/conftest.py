"""Dagster without its telemetry, and without anything that it would keep."""

from __future__ import annotations

import os

import pytest

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


@pytest.fixture(autouse=True)
def no_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DAGSTER_HOME", "COURIER_PROJECT", "COURIER_SANDBOX", "COURIER_CELERY_BROKER"):
        monkeypatch.delenv(name, raising=False)
