"""Real couriers that fetch in bulk and are killed, cut off, cheated or kept waiting."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from courier import sandbox
from tests.runs.hurried import Hurried, Project, trying

KILLED = -signal.SIGKILL
TABLES = ("order", "order_line", "order_line_refund")
SUBMITTED = {"file": "/Order/operation.json", "nth": 3}  # the operation is under way, and its id is not noted yet
NOTED = {"event": {"event": "Waited", "reason": "the bulk operation (running)"}, "nth": 1}


@pytest.fixture
def tried(tmp_path: Path, hurry: Hurried) -> Iterator[Project]:
    """A project that asks for orders in bulk."""
    with trying(tmp_path, hurry, TABLES, "bulk") as made:
        yield made


def operations(tried: Project) -> Counter[str]:
    """How many operations each run made, by the marker that their documents begin with."""
    made = tried.served.service.bulk.operations.values()
    return Counter(operation.query.split()[4] for operation in made if not operation.foreign)


def downloads(tried: Project) -> list[str | None]:
    """The ranges that were asked for."""
    return [asked["range"] for asked in tried.served.requests if asked.get("operation") == "download"]


@pytest.mark.parametrize("end", [SUBMITTED, NOTED], ids=["before its id was noted", "after"])
def test_an_operation_outlives_its_process(end: dict[str, Any], hurry: Hurried, tmp_path: Path) -> None:
    """Killed while its operation runs, a run finds it again, by its marker or its id, and begins no other one."""
    with trying(tmp_path, hurry, TABLES, "bulk", bulk_seconds=0.3) as tried:
        killed = tried.run(end)
        run = killed.named("RunStarted")[0]["run"]
        assert (killed.code, operations(tried)) == (KILLED, {run: 1})
        after = tried.run()
        assert after.code == 0
        assert after.named("RunStarted", recovered=True)[0]["run"] == run
        assert operations(tried)[run] == 1
        assert tried.is_true


def test_a_download_outlives_its_process(tried: Project) -> None:
    """Killed in the middle of a download, a run asks for the rest of the file alone, and ends with the truth."""
    tried.served.faults.add({"kind": "download_truncated", "share": 0.6})
    killed = tried.run({"event": {"event": "Fetched", "request": "Order", "complete": False}, "nth": 1})
    assert (killed.code, downloads(tried)) == (KILLED, [None])
    after = tried.run()
    assert (after.code, tried.is_true) == (0, True)
    taken = int((downloads(tried)[1] or "").removeprefix("bytes=").removesuffix("-"))
    size = next(iter(tried.served.service.bulk.operations.values())).file
    assert size and 0 < taken < 0.6 * size.size


def test_a_result_that_is_a_line_short_changes_nothing(tried: Project) -> None:
    """Exit 1, it is said, nothing is committed and readers keep the rows of before; the next run has them all."""
    assert tried.run().code == 0
    before = tried.hashes
    sandbox.change(tried.served.shop, 20)
    tried.served.faults.add({"kind": "bulk_short"})
    failed = tried.run()
    assert (failed.code, tried.hashes) == (1, before)
    assert "the bulk result is not whole" in failed.problem["message"]
    assert failed.named("RunCommitted") == []
    assert tried.run().code == 0
    assert tried.is_true and tried.hashes != before


def test_an_order_that_neither_file_nor_counts_have_fails_the_run(tried: Project) -> None:
    """Only the shop's own count, asked for before and after, knows better."""
    tried.served.faults.add({"kind": "bulk_lost_root"})
    failed = tried.run()
    assert (failed.code, tried.hashes) == (1, None)
    assert "1 of 120 records in the period were not fetched" in failed.problem["message"]


def test_busy_slots_are_waited_for(tried: Project) -> None:
    """All five slots taken by others: with a `wait` the run waits, says so, and leaves them alone."""
    tried.served.faults.add({"kind": "bulk_busy", "seconds": 0.4})
    waited = tried.run()
    assert (waited.code, tried.is_true) == (0, True)
    assert any("every slot" in event["reason"] for event in waited.named("Waited"))
    assert tried.served.service.bulk.cancelled == []


def test_busy_slots_without_a_wait_fail_the_run(tried: Project) -> None:
    tried.edit("courier_groups.yaml", ", wait: 30m", "")
    tried.served.faults.add({"kind": "bulk_busy", "seconds": 600})
    failed = tried.run()
    assert (failed.code, tried.hashes) == (1, None)
    assert "every slot" in failed.problem["message"]
    assert "`wait`" in failed.problem["fix"]
    assert tried.served.service.bulk.cancelled == []


def test_operations_that_always_fail_end_the_run(tried: Project) -> None:
    """`mode: bulk` was asked for: after three of them exit 1, though a part of the result could have been had."""
    tried.served.faults.add({"kind": "bulk_failed", "partial": True, "times": 0})
    failed = tried.run()
    assert (failed.code, tried.hashes) == (1, None)
    assert "INTERNAL_SERVER_ERROR, 3 times" in failed.problem["message"]
    assert set(operations(tried).values()) == {3}
