"""Runs whose source is away, and runs that cannot be gone on with."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from courier import sandbox
from tests.runs.hurried import Hurried, Project, told, trying

STARTED = {"event": {"event": "RunStarted"}, "nth": 1}
FETCHED = {"event": {"event": "Fetched", "complete": True}, "nth": 1}


@pytest.fixture
def tried(tmp_path: Path, hurry: Hurried) -> Iterator[Project]:
    with trying(tmp_path, hurry, ("product", "product_tags")) as made:
        yield made


def test_a_shop_that_is_away_is_waited_for_or_fails_the_run(tried: Project) -> None:
    """With a `wait`, as the starter project has, it is asked until it is back; without, exit 1 after six tries.

    It is away twice: at the start, and again when the run has begun to fetch.
    """
    away = {"kind": "status", "status": 503, "times": 14}
    tried.served.faults.add(away, {**away, "contains": "Count("})
    waited = tried.run()
    assert (waited.code, tried.is_true) == (0, True)
    before = tried.hashes
    sandbox.change(tried.served.shop, 10)
    tried.edit("courier_groups.yaml", ", wait: 30m", "")
    tried.served.faults.add({"kind": "status", "status": 503, "times": 0})
    failed = tried.run()
    assert (failed.code, tried.hashes) == (1, before)
    assert "status 503, 6 times" in failed.problem["message"]


def test_a_run_that_was_killed_three_times_is_given_up(tried: Project) -> None:
    """What kills it may lie in what it fetched: its period is read afresh."""
    for _ in range(3):
        assert tried.run(STARTED).code == -signal.SIGKILL
    after = tried.run()
    assert (after.code, tried.is_true) == (0, True)
    assert "cut off 3 times: its period is read afresh" in after.named("Noticed")[0]["note"]
    assert [event["recovered"] for event in after.named("RunStarted")] == [False]


def test_a_run_of_another_configuration_is_not_gone_on_with(tried: Project) -> None:
    """Killed, and then the YAML was edited: what was fetched may lack what is asked for now."""
    assert tried.run(FETCHED).code == -signal.SIGKILL
    tried.edit("domain_tables/shopify/product.yaml", "  title: ", "  heading: { from: title, type: string }\n  title: ")
    after = tried.run()
    assert after.code == 0, after.err
    assert "the configuration changed since" in after.named("Noticed")[0]["note"]
    assert [event["recovered"] for event in after.named("RunStarted")] == [False]
    tags = "shopify.product_tags"
    assert (tried.hashes or {})[tags] == told(tried.served.shop, tried.names)[tags]
