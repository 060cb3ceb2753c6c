"""What holds for every test: nothing that it prints may be a secret or a customer's value. And a Postgres for some."""

from __future__ import annotations

import gc
import signal

from hypothesis import HealthCheck, settings

from tests.leaks import pytest_configure
from tests.postgres_server import database, postgres_url, pytest_terminal_summary

__all__ = ["database", "postgres_url", "pytest_collection_finish", "pytest_configure", "pytest_terminal_summary"]


# On a busy machine the first example alone can take longer than Hypothesis thinks right.
settings.register_profile("courier", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("courier")
# A shell starts what it puts in the background deaf to Ctrl-C, and the processes of the tests would be so too.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Look less often for garbage, and not among the modules of every library: it took a tenth of the tests' time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_unconfigure() -> None:
    """Let Python find its garbage at the end: DuckDB's bindings complain about what they are left with."""
    gc.unfreeze()
