from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from courier import clock
from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from tests.connectors.shopify.bulk_pulling import Families, standing
from tests.connectors.shopify.pulling import pull


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """A small made-up shop, with an order of 300 lines and a product of 130 variants."""
    with serve(open_shop(options=Options(customers=60, orders=120, products=15))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    """The shop as it was at first."""
    served.reset(changes=True)
    yield served
    served.reset(changes=True)


@pytest.fixture(scope="module")
def orders(served: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Families:
    """The shop's orders with all their lines, refunds and applications, by pages."""
    served.reset(changes=True)
    return standing(pull(served, tmp_path_factory.mktemp("pages"), "Order"), "Order")


@pytest.fixture
def moving_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time, though all clocks are moved by them."""
    real, waited = clock.now, list[float]()
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(waited)))
    monkeypatch.setattr(clock, "sleep", waited.append)
