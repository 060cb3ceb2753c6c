from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.connectors.shopify.budget import FORGOTTEN_AFTER_SECONDS, Bucket, Budget, ThrottleStatus

TAKING = """
import sys
from pathlib import Path
from courier.connectors.shopify.budget import Budget
budget = Budget(Path(sys.argv[1]), "acme")
print([budget.take(100)[1] for _ in range(20)][-1])
"""


def test_two_processes_share_one_bucket(tmp_path: Path) -> None:
    """Forty queries of 100 points, by two processes, wait for 4000 - 1000 points; not twice for 2000 - 1000."""
    budget = Budget(tmp_path, "acme")
    key, _ = budget.take(10)
    budget.settle(key, ThrottleStatus(available=1000, maximum=2000, rate=100))
    started = [subprocess.Popen([sys.executable, "-c", TAKING, str(tmp_path)], stdout=subprocess.PIPE) for _ in "ab"]
    longest = max(float(process.communicate()[0]) for process in started)
    assert 25 < longest <= 30


@given(st.lists(st.floats(1, 500), min_size=1, max_size=20), st.floats(0, 2000))
def test_the_wait_is_what_the_bucket_lacks(costs: list[float], available: float) -> None:
    bucket = Bucket(available=available, maximum=2000, rate=100, at=0)
    waits = [bucket.take(str(number), cost, 0) for number, cost in enumerate(costs)]
    assert waits[-1] == pytest.approx(max(0, (sum(costs) - available) / 100))
    assert waits == sorted(waits)


def test_nothing_waits_before_the_shop_has_spoken() -> None:
    assert Bucket().take("a", 900, 0) == 0


def test_the_shops_own_account_replaces_ours() -> None:
    bucket = Bucket(available=0, maximum=2000, rate=100, at=0)
    bucket.take("a", 50, 0)
    bucket.settle("a", ThrottleStatus(available=1990, maximum=2000, rate=100), 0)
    assert bucket.take("b", 1000, 0) == 0


def test_a_killed_process_is_forgotten() -> None:
    bucket = Bucket(available=2000, maximum=2000, rate=1, at=0)
    bucket.take("killed", 2000, 0)
    assert bucket.take("a", 1000, FORGOTTEN_AFTER_SECONDS - 1) > 0
    assert bucket.take("b", 900, FORGOTTEN_AFTER_SECONDS + 1) == 0


def test_a_torn_file_is_an_unknown_bucket(tmp_path: Path) -> None:
    (tmp_path / "shopify-acme.json").write_bytes(b'{"available": 1')
    budget = Budget(tmp_path, "acme")
    assert budget.take(100)[1] == 0
