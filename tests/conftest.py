"""What holds for every test: nothing that it prints may be a secret or a customer's value. And a Postgres for some."""

from __future__ import annotations

import gc

from tests.leaks import pytest_configure
from tests.postgres_server import database, postgres_url, pytest_terminal_summary

__all__ = ["database", "postgres_url", "pytest_collection_finish", "pytest_configure", "pytest_terminal_summary"]


def pytest_collection_finish() -> None:
    """Look less often for garbage, and not among the modules of every library: it took a tenth of the tests' time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
