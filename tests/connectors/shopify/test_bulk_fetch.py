"""A bulk result against the served sandbox: the same records as by pages, or a failure that says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from courier import clock
from courier.clock import Interval
from courier.config.project import Feed
from courier.connectors.contract import Fetching, Waiting
from courier.connectors.shopify.bulk import parts, result
from courier.connectors.shopify.bulk.parts import CHANGED
from courier.connectors.shopify.paging import Limits
from courier.errors import Incomplete, SourceRefused, SourceUnreachable
from courier.sandbox import change, open_shop, serve
from courier.sandbox.server import Sandbox
from courier.storage.raw import MANIFEST
from tests.connectors.shopify.bulk_pulling import (
    IN_BULK,
    ORDERS,
    SHOP,
    Families,
    Killed,
    downloads,
    made,
    pull_in_bulk,
    standing,
    taken,
    wanted,
)
from tests.connectors.shopify.pulling import lines, operations, pull
from tests.connectors.shopify.shipped import courier, project

pytestmark = pytest.mark.usefixtures("moving_clock")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(open_shop(options=SHOP)) as sandbox:
        yield sandbox


# The same records as by pages


@pytest.mark.parametrize("root", IN_BULK)
def test_bulk_has_what_pages_have(root: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Every record with all that hangs on it, metafields of two levels too, and the same proof."""
    of_root = [table for table in project().folders["shopify"].values() if table.rows.root == root]
    asked = wanted(sandbox, tmp_path, root)
    added = [Feed(table.name, table) for table in of_root if table.name not in {feed.name for feed in asked.feeds}]
    known = {table.name: table for table in of_root}
    parents = {table.parent: known[table.parent] for table in of_root if table.parent}
    asked = replace(asked, feeds=(*asked.feeds, *added), parents=parents)
    proof = pull_in_bulk(sandbox, tmp_path / "bulk", root, request=asked)
    assert added and proof == pull_in_bulk(sandbox, tmp_path / "pages", root, request=replace(asked, mode="pages"))
    assert standing(tmp_path / "bulk" / root, root) == standing(tmp_path / "pages" / root, root)
    assert [one.status(sandbox.shop.now().timestamp()) for one in made(sandbox)] == ["COMPLETED"]


def test_nothing_in_the_period_is_no_file(sandbox: Sandbox, tmp_path: Path) -> None:
    """An operation without a result has no URL."""
    interval = Interval(clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2))
    proof = pull_in_bulk(sandbox, tmp_path, request=wanted(sandbox, tmp_path, "Order", interval=interval))
    assert (proof.counted, proof.fetched, "download" in operations(sandbox)) == (0, 0, False)


def test_customers_outside_the_period_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    newest = max(family.customer.updated_at for family in sandbox.shop.history.customers.values())
    interval = Interval(datetime.fromtimestamp(newest, UTC), datetime.fromtimestamp(newest + 86_400, UTC))
    asked = wanted(sandbox, tmp_path, "Customer", interval=interval)
    paged = pull_in_bulk(sandbox, tmp_path / "pages", "Customer", request=replace(asked, mode="pages"))
    assert pull_in_bulk(sandbox, tmp_path / "bulk", "Customer", request=asked) == paged
    assert paged.outside_window == paged.fetched - 1


def test_an_incremental_request_has_what_pages_have(sandbox: Sandbox, tmp_path: Path) -> None:
    """What changed after the period, and while the operation ran, is read too and told from what is in the period."""
    since = clock.now() + timedelta(hours=1)
    clock.sleep(7_200)
    change(sandbox.shop, 10)
    clock.sleep(60)
    interval = Interval(since, clock.now())
    asked = wanted(sandbox, tmp_path, "Order", interval=interval)
    paged = pull_in_bulk(sandbox, tmp_path / "pages", request=replace(asked, mode="pages"))
    expected = standing(tmp_path / "pages" / "Order", "Order")
    clock.sleep(7_200)
    edited = f"gid://shopify/Order/{min(sandbox.shop.history.orders)}"
    sandbox.faults.add({"kind": "mutate", "contains": "OrderList", "record": edited})
    proof = pull_in_bulk(sandbox, tmp_path / "bulk", request=asked)
    found = standing(tmp_path / "bulk" / "Order", "Order")
    assert found.keys() - expected.keys() == {edited} and 0 < paged.fetched == len(expected) < ORDERS
    assert {id_: found[id_] for id_ in expected} == expected
    assert (proof.counted, proof.fetched) == (paged.counted, paged.fetched)


def test_since_bounds_what_changed_meanwhile_too(sandbox: Sandbox, tmp_path: Path) -> None:
    created = sorted(family.order.created_at for family in sandbox.shop.history.orders.values())
    given = replace(courier(), since=datetime.fromtimestamp(created[30], UTC))
    oldest = min(sandbox.shop.history.orders.values(), key=lambda family: family.order.created_at)
    sandbox.faults.add({"kind": "mutate", "contains": "OrderList", "record": f"gid://shopify/Order/{oldest.order.id}"})
    proof = pull_in_bulk(sandbox, tmp_path, given=given)
    found = standing(tmp_path / "Order", "Order")
    assert len(found) == proof.counted == len([at for at in created if at >= created[30]])


def test_lines_stay_as_the_shop_wrote_them(sandbox: Sandbox, tmp_path: Path) -> None:
    """The streams together are the file."""
    pull_in_bulk(sandbox, tmp_path)
    (operation,) = made(sandbox)
    assert operation.file
    assert sorted(b"".join(taken(tmp_path).values()).splitlines()) == sorted(
        operation.file.path.read_bytes().splitlines()
    )


# Bad days that end well


@pytest.mark.parametrize(
    ("fault", "operations_made"),
    [
        ({"kind": "bulk_failed"}, 2),
        ({"kind": "bulk_failed", "error": "TIMEOUT", "times": 2}, 3),
        ({"kind": "bulk_failed", "partial": True}, 2),
        ({"kind": "bulk_expired"}, 2),
        ({"kind": "bulk_canceled"}, 2),
        ({"kind": "bulk_canceling", "seconds": 60}, 2),
        ({"kind": "bulk_slow", "seconds": 600}, 1),
        ({"kind": "download_truncated"}, 1),
        ({"kind": "download_truncated", "share": 0.0}, 1),
        ({"kind": "download_truncated", "share": 0.2, "times": 20}, 1),
        ({"kind": "download_reset"}, 1),
        ({"kind": "download_status", "status": 503, "times": 3}, 1),
        ({"kind": "download_status", "status": 403}, 1),
        ({"kind": "download_status", "status": 404}, 1),
        ({"kind": "download_status", "status": 403, "times": 6}, 2),
        ({"kind": "download_garbled", "share": 0.0}, 1),
        ({"kind": "status", "contains": "BulkRun", "status": 503}, 1),
        ({"kind": "throttled", "contains": "BulkRun"}, 1),
        ({"kind": "reset", "contains": "BulkRun"}, 2),
        ({"kind": "internal_error", "contains": "BulkStatus"}, 1),
        ({"kind": "truncated", "contains": "BulkStatus"}, 1),
        ({"kind": "reset", "contains": "OrderList"}, 1),
    ],
    ids=lambda value: "-".join(str(part) for part in value.values()) if isinstance(value, dict) else "",
)
def test_passing_trouble_changes_nothing(
    fault: dict[str, Any], operations_made: int, sandbox: Sandbox, tmp_path: Path, orders: Families
) -> None:
    """Another try, another operation or another part of the file, and every record is there."""
    sandbox.faults.add(fault)
    proof = pull_in_bulk(sandbox, tmp_path)
    assert not sandbox.faults.pending()
    assert standing(tmp_path / "Order", "Order") == orders
    assert (proof.counted, proof.fetched, len(made(sandbox))) == (ORDERS, ORDERS, operations_made)


def test_a_cut_off_download_goes_on_from_its_last_line(sandbox: Sandbox, tmp_path: Path) -> None:
    """It asks for the rest alone, and the bytes are those of an undisturbed one."""
    pull_in_bulk(sandbox, tmp_path / "whole")
    sandbox.service.log.clear()
    sandbox.faults.add({"kind": "download_truncated", "share": 0.5}, {"kind": "download_reset", "nth": 2})
    pull_in_bulk(sandbox, tmp_path)
    assert taken(tmp_path) == taken(tmp_path / "whole")
    (first, second, third) = downloads(sandbox)
    assert first == (None, 200) and second[1] == third[1] == 206
    begun = [int(str(wanted).removeprefix("bytes=").removesuffix("-")) for wanted, _ in (second, third)]
    size = sum(map(len, taken(tmp_path).values()))
    assert size * 0.4 < begun[0] <= size * 0.5
    assert begun[0] <= begun[1] < size  # a reset may lose all that was under way


def test_a_server_without_ranges_sends_all_of_it_again(sandbox: Sandbox, tmp_path: Path) -> None:
    pull_in_bulk(sandbox, tmp_path / "whole")
    sandbox.faults.add({"kind": "download_truncated"}, {"kind": "download_no_range", "times": 2})
    pull_in_bulk(sandbox, tmp_path)
    assert [status for _, status in downloads(sandbox)] == [200, 200, 200]
    assert taken(tmp_path) == taken(tmp_path / "whole")


def test_an_expired_url_is_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add({"kind": "download_truncated"}, {"kind": "download_status", "status": 403, "nth": 2})
    pull_in_bulk(sandbox, tmp_path)
    assert [status for _, status in downloads(sandbox)] == [200, 403, 206]
    assert operations(sandbox).count("BulkStatus") == 2 and operations(sandbox).count("BulkRun") == 1


def test_a_process_that_dies_in_a_download_is_followed_by_one_that_goes_on(
    sandbox: Sandbox, tmp_path: Path, orders: Families
) -> None:
    def killing(progress: Fetching | Waiting) -> None:
        if isinstance(progress, Waiting) and progress.reason.startswith("the download"):
            raise Killed

    sandbox.faults.add({"kind": "download_truncated"})
    with pytest.raises(Killed):
        pull_in_bulk(sandbox, tmp_path, progress=killing)
    for path in (tmp_path / "Order").glob("*.jsonl"):
        with path.open("ab") as file:
            file.write(b'{"torn')
    pull_in_bulk(sandbox, tmp_path)
    assert [status for _, status in downloads(sandbox)] == [200, 206]
    assert standing(tmp_path / "Order", "Order") == orders


def test_killed_at_any_point_it_ends_with_every_record(
    sandbox: Sandbox, tmp_path: Path, orders: Families, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One operation, one download, however often its process dies; nothing is asked for that is there already."""
    monkeypatch.setattr(result, "CHECKPOINT_BYTES", 20_000)
    monkeypatch.setattr(parts, "AT_ONCE", 5)
    for attempt in range(1, 100):
        told: list[int] = []

        def killing(progress: Fetching | Waiting, told: list[int] = told, most: int = attempt) -> None:
            told.append(1)
            if len(told) == most:
                raise Killed

        try:
            pull_in_bulk(sandbox, tmp_path, progress=killing)
            break
        except Killed:
            assert not (tmp_path / "Order" / CHANGED / MANIFEST).exists() or attempt > 2
    assert attempt > 3
    assert standing(tmp_path / "Order", "Order") == orders
    assert operations(sandbox).count("BulkRun") == 1 and len(downloads(sandbox)) == 1


# Results that are not whole


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "bulk_short"}, r"the shop says \d+ objects, the file has \d+"),
        ({"kind": "bulk_miscount", "field": "objectCount"}, r"the shop says \d+ objects, the file has \d+"),
        ({"kind": "bulk_miscount", "field": "rootObjectCount"}, "the shop says 61 orders, the file has 60"),
        ({"kind": "bulk_filesize"}, r"the shop says \d+,\d+ bytes, the file has \d+,\d+"),
        ({"kind": "bulk_duplicate"}, "1 orders come twice"),
        ({"kind": "bulk_lost_root"}, "orders: 1 of 60 records in the period were not fetched"),
        ({"kind": "download_garbled", "share": 0.0, "times": 0}, "a line of the bulk result is not JSON"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("mode", ["bulk", "auto"])
def test_a_result_that_is_not_whole_never_passes(
    fault: dict[str, Any], told: str, mode: Any, sandbox: Sandbox, tmp_path: Path
) -> None:
    """What the shop says and what its file holds must agree, to the byte, and with what it counts elsewhere."""
    sandbox.faults.add({**fault, "times": 0})
    asked = wanted(sandbox, tmp_path, "Order", mode)
    with pytest.raises(Incomplete, match=told):
        pull_in_bulk(sandbox, tmp_path, request=asked, limits=Limits(many=1))


def test_an_order_edited_meanwhile_ends_in_its_new_version(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its line is old, its children are new: what changed is read again whole, after the operation."""
    edited = max(sandbox.shop.history.orders, key=lambda number: len(sandbox.shop.history.orders[number].refund_lines))
    before = sandbox.shop.history.orders[edited].order.updated_at
    sandbox.faults.add({"kind": "bulk_torn", "record": f"gid://shopify/Order/{edited}"})
    proof = pull_in_bulk(sandbox, tmp_path)
    assert sandbox.shop.history.orders[edited].order.updated_at > before
    assert proof.counted == proof.fetched == ORDERS
    assert [line["id"] for line in lines(tmp_path / "Order" / CHANGED, "Order")] == [f"gid://shopify/Order/{edited}"]
    assert standing(tmp_path / "Order", "Order") == standing(pull(sandbox, tmp_path / "now", "Order"), "Order")


def test_a_field_that_is_refused_is_named_as_a_matter_of_scopes(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add({"kind": "bulk_access_denied"})
    with pytest.raises(SourceRefused, match="refuses a field of the bulk operation for orders") as caught:
        pull_in_bulk(sandbox, tmp_path)
    assert "scopes" in caught.value.fix


def test_a_download_that_leads_nowhere_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    """Without progress for six times, and it says what the last one was."""
    sandbox.faults.add({"kind": "download_status", "status": 500, "times": 0})
    with pytest.raises(SourceUnreachable, match="status 500, 6 times without progress"):
        pull_in_bulk(sandbox, tmp_path)
