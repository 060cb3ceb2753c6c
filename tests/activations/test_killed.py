"""A handful of applies that are killed; `python -m benchmarks activation_kills` kills hundreds."""

from __future__ import annotations

import pytest

from tests.activations.acted import Acted
from tests.activations.killed import live_through

FILES, POSTGRES = (1, 15, 23, 24), (8, 19)


@pytest.mark.parametrize(
    ("where", "seed"), [*(("acted", seed) for seed in FILES), *(("acted_in_postgres", seed) for seed in POSTGRES)]
)
def test_a_killed_apply_ends_like_an_undisturbed_one(where: str, seed: int, request: pytest.FixtureRequest) -> None:
    """SIGKILL at a random moment, again and again: the same personas, texts and credits; answers at most once."""
    acted: Acted = request.getfixturevalue(where)
    live_through(seed, acted)
