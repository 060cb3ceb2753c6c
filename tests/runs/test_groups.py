"""Groups that run as one: locks, constraints, partial failure, and a retry that goes on with what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier.clock import rfc3339
from courier.runtime.place import group_lock
from courier.sandbox.shopify.faults import Fault
from tests.runs.grouped import Grouped, grouped
from tests.runs.hurried import Hurried

RUN = ("run", "--group", "stores")
AWAY = Fault("status", status=503, times=0)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, hurry: Hurried) -> Iterator[Grouped]:
    with grouped(tmp_path_factory.mktemp("grouped") / "project", hurry) as made:
        yield made


@pytest.fixture
def stores(tmp_path: Path, hurry: Hurried) -> Iterator[Grouped]:
    with grouped(tmp_path / "project", hurry) as made:
        yield made


def test_a_part_of_a_group_fails_and_a_retry_goes_on_with_it(stores: Grouped) -> None:
    """Exit 1: what committed, what did not, and what to type; that runs the missing courier alone, at the same S."""
    stores.served["shopify_us"].faults.add(AWAY)
    failed = stores.courier(*RUN)
    assert failed.code == 1
    assert "stores: committed: shopify_uk\n" in failed.err
    assert "stores: not committed: shopify_us: POST " in failed.err
    assert stores.hashes == stores.truth("shopify_uk")
    (run,) = stores.history.group_runs()
    assert (run.result, run.committed, run.trigger) == ("partial", False, "hand")
    typed = re.search(r"courier retry (\S*-stores-\S+)", failed.err)
    assert typed is not None and typed[1] == run.run
    stores.served["shopify_us"].faults.clear()
    retried = stores.courier("retry", run.run, "--json")
    assert (retried.code, retried.object["result"]) == (0, "succeeded"), retried.err
    assert {event["courier"] for event in retried.named("RunStarted")} == {"shopify_us"}
    assert [one["courier"] for one in retried.object["couriers"]] == ["shopify_uk", "shopify_us"]
    assert stores.hashes == stores.truth()
    again = stores.history.group_runs()[0]
    assert (again.trigger, again.retry_of, again.scheduled) == ("retry", run.run, run.scheduled)
    assert again.committed and set(stores.history.members_of(again)) == {"shopify_uk", "shopify_us"}
    done = stores.courier("retry", again.run)
    assert done.code == 2 and "nothing to try again" in done.err


def test_a_courier_that_is_refused_stops_no_other_one(stores: Grouped) -> None:
    """What keeps one courier from running is its failure; one that is optional lets what waits for the group run."""
    stores.edit("courier_groups.yaml", "required: true", "required: false")
    ended = stores.courier(*RUN, "--json", US_ACCESS_TOKEN="wrong")
    assert (ended.code, ended.object["result"]) == (1, "partial")
    us = ended.object["couriers"][1]
    assert us["result"] == "failed" and us["problem"]["fix"].endswith(f"then courier retry {us['run']}")
    assert stores.history.group_runs()[0].committed
    after = stores.courier("run", "--group", "after", "--json")
    assert (after.code, after.object["result"]) == (0, "succeeded"), after.err


def test_credentials_of_all_couriers_are_looked_up_first(shops: Grouped) -> None:
    """Exit 3, and no courier has begun."""
    kept = (shops.root / ".env").rename(shops.root / "kept")
    ended = shops.courier(*RUN)
    kept.rename(shops.root / ".env")
    assert ended.code == 3, ended.err
    assert "US_STORE" in ended.err and "UK_STORE" in ended.err
    assert shops.history.group_runs() == [] and not shops.place.runs.exists()


def test_a_group_runs_once_at_a_time(shops: Grouped) -> None:
    """While another process has it, --no-wait ends at once, and says why."""
    with group_lock(shops.place, "stores"):
        ended = shops.courier(*RUN, "--no-wait")
    assert ended.code == 1
    assert "group stores is running in another process" in ended.err
    assert shops.history.group_runs() == []


def test_constraints_block_are_ignored_and_hold(stores: Grouped) -> None:
    """Blocked: exit 1 and what to type, in the plan too. Ignored by that, it runs; then its instant is covered."""
    past = rfc3339(datetime.now(UTC) - timedelta(hours=1))
    after = ("--group", "after", "--scheduled", past)
    planned = stores.courier("plan", *after, "--json").object
    assert planned["decision"]["answer"] == "blocked"
    assert planned["constraints"][0]["holds"] is False
    assert not stores.place.history.exists()
    blocked = stores.courier("run", *after)
    assert blocked.code == 1
    assert "after: no successful run of stores in time" in blocked.err
    (run,) = stores.history.group_runs()
    assert (run.result, run.committed, run.trigger, run.scheduled) == ("blocked", False, "schedule", past)
    assert f"courier retry {run.run} --ignore-constraints" in blocked.err
    assert f"courier retry {run.run} --ignore-constraints" in stores.courier("status").err
    assert stores.courier("retry", run.run, "--ignore-constraints").code == 0
    assert stores.hashes == stores.truth("shopify_uk")
    covered = stores.courier("run", *after, "--json")
    assert (covered.code, covered.object["result"], covered.object["couriers"]) == (0, "covered", [])
    waiting = stores.courier("plan", "--group", "after").out
    assert "decision: wait: waits for a successful run of stores until " in waiting
