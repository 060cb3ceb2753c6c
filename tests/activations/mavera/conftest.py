from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from courier import clock
from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(open_shop(options=Options(customers=5, orders=5, products=2))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.mavera.reset()
    yield served
    served.mavera.reset()


@pytest.fixture
def mavera(sandbox: Sandbox) -> Mavera:
    return sandbox.mavera


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait. It takes no time, and yet moves the clock, the sandbox's too."""
    real, waited = clock.now, list[float]()
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(waited)))
    monkeypatch.setattr(clock, "sleep", waited.append)
    return waited
