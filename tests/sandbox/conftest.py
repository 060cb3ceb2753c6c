"""A small made-up shop, served once for the tests that only read, and anew for those that change it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier import sandbox
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from tests.sandbox.client import Client

SMALL = Options(customers=60, orders=120, products=12)


@pytest.fixture(scope="session")
def reading() -> Iterator[Client]:
    """A client of a shop that no test changes."""
    with sandbox.serve(sandbox.open_shop(None, SMALL)) as served:
        yield Client(served)


@pytest.fixture
def served() -> Iterator[Sandbox]:
    """A shop of one's own."""
    with sandbox.serve(sandbox.open_shop(None, SMALL)) as running:
        yield running


@pytest.fixture
def client(served: Sandbox) -> Client:
    return Client(served)
