"""Ten random bad days; `python -m benchmarks faults` lives through hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.disturbed import live_through
from tests.runs.hurried import Hurried


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_day_ends_like_a_quiet_one(seed: int, hurry: Hurried, tmp_path: Path) -> None:
    """Random faults and a random SIGKILL: readers see only states of the shop, and at last its own."""
    live_through(seed, tmp_path, hurry)
