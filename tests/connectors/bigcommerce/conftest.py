from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from courier import clock
from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox


@pytest.fixture(scope="package")
def served() -> Iterator[Sandbox]:
    """An order of 300 lines, a product of 260 reviews, and more customers of one second than a page has."""
    with serve(open_shop(options=Options(customers=2_400, orders=600, products=12))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The store as it was at first. Waits take no time, though all clocks are moved by them."""
    real, waited = clock.now, list[float]()
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(waited)))
    monkeypatch.setattr(clock, "sleep", waited.append)
    served.reset(changes=True)
    yield served
    served.reset(changes=True)


def paths(sandbox: Sandbox) -> list[str]:
    """What was asked, without parameters."""
    return [str(entry["path"]).partition("?")[0] for entry in sandbox.bigcommerce.log]
