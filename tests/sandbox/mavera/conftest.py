"""A made-up account per test, and one for the tests that only read or that may leave things behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from courier import sandbox
from courier.sandbox.server import Sandbox
from tests.sandbox.conftest import SMALL
from tests.sandbox.mavera.client import Client


@pytest.fixture(scope="package")
def shared() -> Iterator[Client]:
    """An account with room for many requests and credits, which tests leave things behind in."""
    with sandbox.serve(sandbox.open_shop(None, SMALL)) as served:
        served.mavera.configure(requests_per_minute=100_000, credits_included=10_000_000)
        yield Client(served)


@pytest.fixture
def client(served: Sandbox) -> Client:
    """An account of one's own."""
    return Client(served)
