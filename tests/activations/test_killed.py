"""A handful of applies that are killed; `python -m benchmarks activation_kills` kills hundreds."""

from __future__ import annotations

import pytest

from tests.activations.acted import Acted
from tests.activations.killed import live_through


@pytest.mark.parametrize("seed", (1, 15, 23, 24))
def test_a_killed_apply_ends_like_an_undisturbed_one(seed: int, acted: Acted) -> None:
    """SIGKILL at a random moment, again and again: the same personas, texts and credits; answers at most once."""
    live_through(seed, acted)
