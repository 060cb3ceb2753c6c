"""What holds for every test: nothing that it prints may be a secret or a customer's value."""

from __future__ import annotations

from tests.leaks import pytest_configure

__all__ = ["pytest_configure"]
