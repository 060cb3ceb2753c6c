from __future__ import annotations

import pytest

from courier import clock


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait, which takes no time."""
    found: list[float] = []
    monkeypatch.setattr(clock, "sleep", found.append)
    return found
