from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.klaviyo.running import Running
from tests.connectors.klaviyo.running import running as begin


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A project that reads a made-up account, and has not read it yet."""
    with begin(tmp_path, monkeypatch) as made:
        yield made
