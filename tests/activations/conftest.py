"""One loaded project for all tests of activations; each begins with an account that nobody has used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier import clock
from tests.activations.acted import Acted, acting
from tests.postgres_server import empty_database
from tests.runs.hurried import shared


@pytest.fixture(scope="session")
def acted_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acted]:
    with acting(tmp_path_factory.mktemp("acted") / "project", shared()) as made:
        yield made


@pytest.fixture(scope="session")
def acted_in_postgres_once(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Acted]:
    root = tmp_path_factory.mktemp("acted") / "project"
    with empty_database(postgres_url) as url, acting(root, shared(), url) as made:
        yield made


@pytest.fixture
def acted_in_postgres(acted_in_postgres_once: Acted, monkeypatch: pytest.MonkeyPatch) -> Acted:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    acted_in_postgres_once.fresh()
    return acted_in_postgres_once


@pytest.fixture
def acted(acted_once: Acted, monkeypatch: pytest.MonkeyPatch) -> Acted:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    acted_once.fresh()
    return acted_once
