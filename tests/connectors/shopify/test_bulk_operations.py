"""Bulk operations against the served sandbox: whose they are, how they are chosen, what is asked for beside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from courier import clock
from courier.connectors.contract import Fetching, Waiting
from courier.connectors.shopify.bulk import parts
from courier.connectors.shopify.bulk.parts import LEFT_OUT
from courier.connectors.shopify.bulk.stored import FILE
from courier.connectors.shopify.paging import Limits
from courier.errors import CourierError, EndedBadly, SourceBusy
from courier.sandbox import open_shop, serve
from courier.sandbox.server import Sandbox
from courier.storage.raw import MANIFEST, parts_of
from tests.connectors.shopify.bulk_pulling import (
    IN_BULK,
    ORDERS,
    SHOP,
    Families,
    Killed,
    made,
    own,
    pull_in_bulk,
    standing,
    taken,
    wanted,
)
from tests.connectors.shopify.pulling import lines, operations, session
from tests.sandbox.bulk import BulkClient

pytestmark = pytest.mark.usefixtures("moving_clock")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(open_shop(options=SHOP)) as sandbox:
        yield sandbox


# Whose operations, and in which slots


def forget_identity(folder: Path) -> None:
    """As if the process had died between Shopify's answer and writing it down."""
    path = folder / "Order" / FILE
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "identity": None}))


@pytest.mark.parametrize("forget", [forget_identity, lambda folder: None], ids=["by marker", "by id"])
def test_an_operation_is_found_again(
    forget: Callable[[Path], None], sandbox: Sandbox, tmp_path: Path, orders: Families
) -> None:
    """A process that was killed after it began one leaves it to the next process."""
    asked = wanted(sandbox, tmp_path, "Order")
    session(sandbox, tmp_path).prepare([(asked, tmp_path / "Order")])
    BulkClient(sandbox).start(own(tmp_path, "shopify", "another_run", "Order"))
    forget(tmp_path)
    pull_in_bulk(sandbox, tmp_path, request=asked)
    assert standing(tmp_path / "Order", "Order") == orders
    assert operations(sandbox).count("BulkRun") == 1
    assert operations(sandbox).count("BulkList") == (forget is forget_identity)


def test_three_operations_are_under_way_together(sandbox: Sandbox, tmp_path: Path) -> None:
    """All are begun before the first one is waited for, so that the slowest one alone is waited for."""
    asked = [(wanted(sandbox, tmp_path, root), tmp_path / root) for root in IN_BULK]
    sandbox.faults.add({"kind": "bulk_slow", "seconds": 600, "times": 3})
    going = session(sandbox, tmp_path)
    began = clock.now()
    going.prepare(asked)
    assert [one.occupies(sandbox.service.bulk.now()) for one in made(sandbox)] == [True] * 3
    for request, folder in asked:
        going.fetch(request, folder)
        going.reconcile(request, folder)
    assert len(made(sandbox)) == 3
    assert timedelta(seconds=600) <= clock.now() - began < timedelta(seconds=700)


def test_the_sixth_operation_waits_for_a_slot(sandbox: Sandbox, tmp_path: Path, orders: Families) -> None:
    """Others are waited for, and never cancelled; the fix says what else can be done."""
    asked = [(wanted(sandbox, tmp_path, root), tmp_path / root) for root in ("Customer", "Product", "Order")]
    sandbox.faults.add({"kind": "bulk_slow", "seconds": 600, "times": 2})
    going = session(sandbox, tmp_path)
    going.prepare(asked[:2])
    sandbox.faults.add({"kind": "bulk_busy", "count": 3, "seconds": 100})
    going.prepare(asked[2:])
    with pytest.raises(SourceBusy, match="every slot for bulk operations is taken") as caught:
        going.fetch(*asked[2])
    assert "`wait`" in caught.value.fix and not (tmp_path / "Order" / MANIFEST).exists()
    clock.sleep(101)
    going.fetch(*asked[2])
    assert standing(tmp_path / "Order", "Order") == orders
    assert sandbox.service.bulk.cancelled == []


def test_only_what_runs_of_this_courier_left_behind_is_cancelled(
    sandbox: Sandbox, tmp_path: Path, orders: Families
) -> None:
    """Not another courier's, not another installation's, not this run's, not somebody else's."""
    sandbox.faults.add({"kind": "bulk_slow", "seconds": 9_000, "times": 5})
    client = BulkClient(sandbox)
    kept = [
        client.start(own(tmp_path, "shopify_uk", "old", "Order")),
        client.start(own(tmp_path / "elsewhere", "shopify", "old", "Order")),
        client.start(own(tmp_path, "shopify", tmp_path.parent.name, "Product")),
    ]
    sandbox.faults.add({"kind": "bulk_busy", "count": 1, "seconds": 9_000})
    stale = client.start(own(tmp_path, "shopify", "old", "Order"))
    clock.sleep(1)
    pull_in_bulk(sandbox, tmp_path)
    assert [client.poll(identity)["status"] for identity in kept] == ["RUNNING"] * 3
    assert client.poll(stale)["status"] == "CANCELED" and sandbox.service.bulk.cancelled == []
    assert standing(tmp_path / "Order", "Order") == orders


def test_an_operation_without_progress_is_told_but_not_given_up(sandbox: Sandbox, tmp_path: Path) -> None:
    seen: list[str] = []

    def patient(progress: Fetching | Waiting) -> None:
        seen.append(progress.reason if isinstance(progress, Waiting) else "")
        if "60 minutes without a record" in seen[-1]:
            raise Killed

    sandbox.faults.add({"kind": "bulk_slow", "seconds": 9_000_000})
    with pytest.raises(Killed):
        pull_in_bulk(sandbox, tmp_path, progress=patient)
    assert any(reason == "the bulk operation (running)" for reason in seen)


# How it is chosen


@pytest.mark.parametrize(("many", "in_bulk"), [(ORDERS - 1, True), (ORDERS, False)])
def test_auto_goes_by_the_shops_count(
    many: int, in_bulk: bool, sandbox: Sandbox, tmp_path: Path, orders: Families
) -> None:
    """Bulk above so many root records, else pages."""
    asked = wanted(sandbox, tmp_path, "Order", "auto")
    session(sandbox, tmp_path, limits=Limits(many=many)).prepare([(asked, tmp_path / "Order")])
    pull_in_bulk(sandbox, tmp_path, request=asked, limits=Limits(many=many))
    assert len(made(sandbox)) == in_bulk
    assert standing(tmp_path / "Order", "Order") == orders


def test_a_run_stays_with_its_choice(sandbox: Sandbox, tmp_path: Path) -> None:
    """A shop that grows or shrinks between two processes of a run does not change how it is fetched."""
    asked = wanted(sandbox, tmp_path, "Order", "auto")
    session(sandbox, tmp_path, limits=Limits(many=1)).prepare([(asked, tmp_path / "Order")])
    pull_in_bulk(sandbox, tmp_path, request=asked)
    assert taken(tmp_path) and len(made(sandbox)) == 1


def test_five_thousand_are_paged() -> None:
    assert Limits().many == 5_000


@pytest.mark.parametrize("fault", ["bulk_failed", "bulk_expired", "bulk_canceled"])
def test_auto_falls_back_to_pages(fault: str, sandbox: Sandbox, tmp_path: Path, orders: Families) -> None:
    """After three operations that end badly; nothing of them is left beside the pages."""
    sandbox.faults.add({"kind": fault, "times": 3})
    asked = wanted(sandbox, tmp_path, "Order", "auto")
    pull_in_bulk(sandbox, tmp_path, request=asked, limits=Limits(many=1))
    assert standing(tmp_path / "Order", "Order") == orders
    assert len(made(sandbox)) == 3 and parts_of(tmp_path / "Order") == [tmp_path / "Order"]


def test_bulk_that_was_asked_for_does_not_fall_back(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add({"kind": "bulk_failed", "times": 3})
    with pytest.raises(EndedBadly, match="orders: the bulk operation ended as INTERNAL_SERVER_ERROR, 3 times"):
        pull_in_bulk(sandbox, tmp_path)
    assert "OrderPage" not in operations(sandbox)


def test_a_result_that_no_url_opens_ends_badly(sandbox: Sandbox, tmp_path: Path, orders: Families) -> None:
    sandbox.faults.add({"kind": "download_status", "status": 403, "times": 0})
    with pytest.raises(EndedBadly, match="complete, but no URL opens its result, 3 times"):
        pull_in_bulk(sandbox, tmp_path / "bulk")
    pull_in_bulk(sandbox, tmp_path, request=wanted(sandbox, tmp_path, "Order", "auto"), limits=Limits(many=1))
    assert standing(tmp_path / "Order", "Order") == orders


def test_a_result_older_than_its_url_is_made_anew(sandbox: Sandbox, tmp_path: Path, orders: Families) -> None:
    """A run that is taken up after a week."""
    asked = wanted(sandbox, tmp_path, "Order")
    session(sandbox, tmp_path).prepare([(asked, tmp_path / "Order")])
    clock.sleep(timedelta(days=8).total_seconds())
    pull_in_bulk(sandbox, tmp_path, request=asked)
    assert len(made(sandbox)) == 2
    assert standing(tmp_path / "Order", "Order") == orders


# What is asked for beside


def refunded(sandbox: Sandbox) -> set[str]:
    return {f"gid://shopify/Order/{number}" for number, one in sandbox.shop.history.orders.items() if one.refunds}


def test_only_orders_with_refunds_are_asked_for_them(
    sandbox: Sandbox, tmp_path: Path, orders: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By id, so many at a time."""
    monkeypatch.setattr(parts, "AT_ONCE", 5)
    pull_in_bulk(sandbox, tmp_path)
    found = [line["id"] for line in lines(tmp_path / "Order" / LEFT_OUT, "Order")]
    assert sorted(found) == sorted(refunded(sandbox)) and 5 < len(found) < ORDERS
    assert operations(sandbox).count("OrderList") == -(-len(found) // 5)
    assert standing(tmp_path / "Order", "Order") == orders


def test_without_a_feed_of_refunds_nothing_is_asked_for(sandbox: Sandbox, tmp_path: Path) -> None:
    asked = wanted(sandbox, tmp_path, "Order")
    asked = replace(asked, feeds=tuple(feed for feed in asked.feeds if feed.name != "order_line_refund"))
    pull_in_bulk(sandbox, tmp_path, request=asked)
    assert "OrderList" not in operations(sandbox) and not (tmp_path / "Order" / LEFT_OUT).exists()


# Secrets


def test_the_signed_url_is_told_nowhere(sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a log, not in a message, not in progress, not on disk."""
    caplog.set_level(logging.DEBUG)
    seen: list[object] = []
    sandbox.faults.add(
        {"kind": "download_status", "status": 403},
        {"kind": "download_reset", "nth": 2},
        {"kind": "download_truncated", "nth": 3},
        {"kind": "download_status", "status": 500, "nth": 4, "times": 0},
    )
    with pytest.raises(CourierError) as caught:
        pull_in_bulk(sandbox, tmp_path, progress=seen.append)
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    said = f"{seen} {logged} {caught.value!r} {caught.value.fix} {caught.value.__cause__!r}"
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert "the download: status 403" in said and b'"operation"' in stored
    for secret in ("Signature", "/bulk/", "Expires=", sandbox.credentials["SHOPIFY_ACCESS_TOKEN"]):
        assert secret not in said and secret.encode() not in stored


def test_what_is_stored_is_private(sandbox: Sandbox, tmp_path: Path) -> None:
    pull_in_bulk(sandbox, tmp_path)
    files = [path for path in (tmp_path / "Order").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
