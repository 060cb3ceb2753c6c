"""One loaded project for all tests of activations; each begins with an account that nobody has used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier import clock
from tests.activations.acted import Acted, acting
from tests.runs.hurried import shared


@pytest.fixture(scope="session")
def acted_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acted]:
    with acting(tmp_path_factory.mktemp("acted") / "project", shared()) as made:
        yield made


@pytest.fixture
def acted(acted_once: Acted, monkeypatch: pytest.MonkeyPatch) -> Acted:
    monkeypatch.setattr(clock, "sleep", lambda seconds: None)
    acted_once.fresh()
    return acted_once
