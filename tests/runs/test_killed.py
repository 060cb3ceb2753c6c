"""A real `courier run` that is killed at a named event: the next one ends where an undisturbed one would have."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from courier.runtime.history import History
from courier.runtime.run_folder import RunFolder
from courier.storage.raw import read_manifest
from tests.runs.hurried import Ended
from tests.runs.tried import SHOP, Tried

KILLED = -signal.SIGKILL
FETCH = {"event": "Fetched", "request": "Order", "records": 250}
COMMIT = {"event": "Committing"}
EVENTS: dict[str, dict[str, Any]] = {
    "fetch": FETCH,
    "shape": {"event": "FeedShaped", "feed": "order"},
    "land": {"event": "RunLanded"},
    "commit": COMMIT,
    "after the commit": {"event": "RunCommitted"},
    "publish": {"event": "Publishing"},
    "after publishing": {"event": "RunPublished"},
}
COMMITTED = ("after the commit", "publish", "after publishing")


@pytest.mark.parametrize("stage", EVENTS)
def test_a_killed_first_run_is_made_good(stage: str, fresh: Tried, loaded_once: Tried) -> None:
    """Killed at any stage, the next run goes on with it; all 13 hashes are an undisturbed run's and the truth.

    What was fetched lies on disk: a run that was killed later asks its source for nothing.
    """
    killed = fresh.struck("SIGKILL", EVENTS[stage])
    assert killed.code == KILLED
    if stage == "publish":
        assert not fresh.place.files.published.exists()
    after = fresh.run()
    assert fresh.hashes() == fresh.truth() == loaded_once.hashes()
    assert bool(after.named("RunStarted", recovered=True)) == (stage not in COMMITTED)
    assert bool(after.named("Fetched", run=started(killed))) == (stage == "fetch")
    assert_nothing_is_left(fresh)


@pytest.mark.parametrize("stage", ["commit", "publish"])
def test_a_killed_later_run_is_made_good(stage: str, loaded: Tried) -> None:
    """Readers see the rows of before until the next run, which ends with the truth; nothing is counted twice."""
    before = loaded.hashes()
    loaded.change()
    assert loaded.struck("SIGKILL", EVENTS[stage]).code == KILLED
    assert loaded.hashes() == before
    loaded.run()
    assert loaded.hashes() == loaded.truth() != before
    assert_nothing_is_left(loaded)
    again = loaded.run()
    assert {feed["inserted"] + feed["updated"] + feed["deleted"] for feed in again.feeds.values()} == {0}


def test_killed_twice_and_fetched_once(fresh: Tried) -> None:
    """Killed while fetching, then at the commit of what was gone on with: still one run, and the truth.

    The second process goes on after the last page that the first one wrote, and asks for no customers at all.
    """
    first = fresh.struck("SIGKILL", FETCH)
    raw = fresh.place.runs / started(first) / "raw"
    customers, orders = read_manifest(raw / "Customer"), read_manifest(raw / "Order")
    assert customers and customers.complete
    assert orders and not orders.complete and 250 <= orders.records < SHOP.orders
    second = fresh.struck("SIGKILL", COMMIT)
    assert (first.code, second.code) == (KILLED, KILLED)
    pages = second.named("Fetched", run=started(first), request="Order", complete=False)
    assert min(page["records"] for page in pages) >= orders.records
    assert second.named("Fetched", run=started(first), request="Customer", complete=False) == []
    whole = read_manifest(raw / "Order")
    assert whole and whole.complete and whole.records == SHOP.orders
    third = fresh.run()
    assert started(third) == started(second) == started(first)
    assert fresh.hashes() == fresh.truth()
    assert_nothing_is_left(fresh)


def started(run: Ended) -> str:
    return str(run.named("RunStarted")[0]["run"])


def assert_nothing_is_left(project: Tried) -> None:
    """Every run has ended well, and nothing that can be made again lies about."""
    place = project.place
    assert {run.result for run in History(place.history).runs()} == {"succeeded"}
    assert all(run.report and run.report["feeds"] for run in History(place.history).runs())
    assert {stored.stage for stored in (RunFolder(path).stored() for path in place.runs.iterdir()) if stored} == {
        "done"
    }
    for pattern in ("landing", "shaped", "dlt", "*.new", "spill", "*.wal"):
        assert [path.name for path in place.state.rglob(pattern)] == []
    assert sorted(path.name for path in place.root.glob("*.duckdb*")) == ["sandbox.duckdb"]
    assert [path.name for path in place.root.glob(".*.new")] == []
