"""Ten random bad days; `python -m benchmarks faults` lives through hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.disturbed import ON_BIGCOMMERCE, ON_KLAVIYO, ON_SHOPIFY, Climate, live_through
from tests.runs.hurried import Hurried


def _named(value: object) -> str:
    return value.source.name if isinstance(value, Climate) else str(value)


SEEDS = ((ON_SHOPIFY, 10), (ON_BIGCOMMERCE, 3), (ON_KLAVIYO, 3))
DAYS = [(climate, seed) for climate, seeds in SEEDS for seed in range(seeds)]


@pytest.mark.parametrize(("climate", "seed"), DAYS, ids=_named)
def test_a_bad_day_ends_like_a_quiet_one(climate: Climate, seed: int, hurry: Hurried, tmp_path: Path) -> None:
    """Random faults and a random SIGKILL: readers see only states of the shop, and at last its own."""
    live_through(seed, tmp_path, hurry, climate)


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_day_over_postgres_ends_like_a_quiet_one(
    seed: int, hurry: Hurried, database: str, tmp_path: Path
) -> None:
    """The same, killed also between two statements to a database."""
    live_through(seed, tmp_path, hurry, database=database)
