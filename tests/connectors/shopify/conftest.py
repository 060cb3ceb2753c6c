from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox


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
