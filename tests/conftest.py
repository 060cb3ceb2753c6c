"""What holds for every test: nothing that it prints may be a secret or a customer's value. And a Postgres for some."""

from __future__ import annotations

from tests.leaks import pytest_configure
from tests.postgres_server import database, postgres_url, pytest_terminal_summary

__all__ = ["database", "postgres_url", "pytest_configure", "pytest_terminal_summary"]
