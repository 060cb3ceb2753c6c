"""One service for all tests that send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runtime.alerting.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def service() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(service: Receiver) -> Receiver:
    service.status = 200
    service.silent.clear()
    service.received.clear()
    return service
