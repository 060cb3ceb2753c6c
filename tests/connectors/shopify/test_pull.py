from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier import clock
from courier.clock import Interval
from courier.config.project import DomainTable
from courier.connectors.contract import Fetching, Waiting
from courier.connectors.shopify import connector
from courier.connectors.shopify.records import digits
from courier.errors import CourierError, Incomplete
from courier.sandbox import change, serve, truth
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.service import Settings
from courier.storage.duck import connect, duck_type, read_parquet
from courier.storage.hashes import table_hash_sql
from courier.storage.raw import MANIFEST, read_manifest
from courier.storage.shape import shape
from tests.connectors.shopify.pulling import ROOTS, SMALL, asked, by_id, lines, operations, pull, session
from tests.connectors.shopify.shipped import courier, request


def rows(sandbox: Sandbox) -> dict[str, int]:
    return {table.table.removeprefix("shopify."): table.rows for table in truth(sandbox.shop)}


def test_a_whole_pull_has_everything_that_the_shop_has(sandbox: Sandbox, tmp_path: Path) -> None:
    """Every record once, with all its lines, addresses, variants and refund lines, however many."""
    folders = {root: pull(sandbox, tmp_path, root) for root in ROOTS}
    history, expected = sandbox.shop.history, rows(sandbox)
    orders = by_id(folders["Order"], "Order")
    assert {int(digits(id_) or 0) for id_ in orders} == set(history.orders)
    for number, family in history.orders.items():
        found = orders[f"gid://shopify/Order/{number}"]
        titles = [line["title"] for line in found.get("Order.lineItems", [])]
        assert titles == [line.title for line in family.lines]
        assert len(found.get("Order.refunds.refundLineItems", [])) == len(family.refund_lines)
        assert found["Order"]["tags"] == list(family.order.tags)
    assert max(len(found.get("Order.lineItems", [])) for found in orders.values()) == 300
    counted = {
        "customer": len(lines(folders["Customer"], "Customer")),
        "customer_address": len(lines(folders["Customer"], "Customer.addressesV2")),
        "order": len(lines(folders["Order"], "Order")),
        "order_line": len(lines(folders["Order"], "Order.lineItems")),
        "order_line_refund": len(lines(folders["Order"], "Order.refunds.refundLineItems")),
        "product": len(lines(folders["Product"], "Product")),
        "product_variant": len(lines(folders["Product"], "Product.variants")),
        "locations": len(lines(folders["Location"], "Location")),
    }
    assert counted == {name: expected[name] for name in counted}


def test_the_rows_made_of_a_whole_pull_are_the_truth(sandbox: Sandbox, tmp_path: Path) -> None:
    """What the connector wrote shapes into exactly the rows that SQL over the shop's own tables tells."""
    expected = {table.table.removeprefix("shopify."): (table.rows, table.hash) for table in truth(sandbox.shop)}
    found = {}
    for ordinal, root in enumerate(ROOTS):
        wanted, folder = asked(sandbox, tmp_path, root), pull(sandbox, tmp_path, root)
        out = tmp_path / "shaped" / root
        for made in shape(wanted.feeds, wanted.parents, folder, out, connector.computed, ordinal):
            assert (made.errors, made.unknown_fields) == ((), ())
            found[made.feed] = hash_of(courier().feed(made.feed).table, read_parquet(made.rows))
    assert found == expected


def hash_of(table: DomainTable, relation: str) -> tuple[int, str]:
    types = {column.name: duck_type(column.type) for column in table.columns}
    row = connect().execute(table_hash_sql(relation, types)).fetchone()
    assert row
    return row[0], row[1]


def test_positions_are_those_of_the_whole_set(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = pull(sandbox, tmp_path, "Product")
    for product in by_id(folder, "Product").values():
        assert [line["__index"] for line in product.get("Product.variants", [])] == list(
            range(len(product.get("Product.variants", [])))
        )
        assert all(line["__parentId"] == product["Product"]["id"] for line in product.get("Product.variants", []))


def test_pages_are_large_and_few(sandbox: Sandbox, tmp_path: Path) -> None:
    pull(sandbox, tmp_path, "Customer")
    found = operations(sandbox)
    assert found.count("CustomerPage") == 1 and found.count("CustomerCount") == 2
    assert max(entry["cost"] for entry in sandbox.requests) <= 1000


@pytest.mark.parametrize("root", ["Customer", "Order", "Product"])
def test_short_chains_give_the_same_records(root: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """A shop with more objects than one chain of cursors may pass is read whole, by several chains."""
    at_once = pull(sandbox, tmp_path / "one", root)
    split = pull(sandbox, tmp_path / "many", root, limits=SMALL)
    assert by_id(split, root) == by_id(at_once, root)
    assert operations(sandbox).count(f"{root}Page") > 2


def test_progress_counts_up_to_what_the_shop_counts(sandbox: Sandbox, tmp_path: Path) -> None:
    seen: list[Fetching | Waiting] = []
    session(sandbox, tmp_path, seen.append).fetch(asked(sandbox, tmp_path, "Order"), tmp_path / "Order")
    assert seen[0] == Fetching("Order", 0, 120) and seen[-1] == Fetching("Order", 120, 120)


class Killed(Exception):
    """Stands for a SIGKILL in the middle of a pull."""


def test_a_pull_that_was_cut_off_goes_on_from_its_last_page(sandbox: Sandbox, tmp_path: Path) -> None:
    """Killed after every single page, with half a line on disk, it ends with the records of an undisturbed pull."""
    undisturbed = pull(sandbox, tmp_path / "whole", "Order")
    wanted, folder, tries = asked(sandbox, tmp_path, "Order"), tmp_path / "Order", 0
    sandbox.reset()
    while True:
        told: list[int] = []

        def killing(progress: Fetching | Waiting, told: list[int] = told) -> None:
            told.append(1)
            if len(told) == 3:
                raise Killed

        try:
            session(sandbox, tmp_path, killing, limits=SMALL).fetch(wanted, folder)
            break
        except Killed:
            tries += 1
            for path in folder.glob("*.jsonl"):
                with path.open("ab") as file:
                    file.write(b'{"torn')
    assert by_id(folder, "Order") == by_id(undisturbed, "Order")
    assert operations(sandbox).count("OrderCount") == 1
    assert tries > 8


def test_a_finished_pull_is_not_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    wanted = asked(sandbox, tmp_path, "Product")
    session(sandbox, tmp_path).fetch(wanted, tmp_path / "Product")
    sandbox.reset()
    session(sandbox, tmp_path).fetch(wanted, tmp_path / "Product")
    assert operations(sandbox) == []


def test_other_columns_begin_a_folder_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    """Half the records with a field and half without it would be worse than asking again."""
    folder = tmp_path / "Product"
    session(sandbox, tmp_path).fetch(request("Product", feeds=("product_tags",)), folder)
    assert "title" not in lines(folder, "Product")[0]
    session(sandbox, tmp_path).fetch(asked(sandbox, tmp_path, "Product"), folder)
    assert all("title" in line for line in lines(folder, "Product"))
    assert (folder / MANIFEST).exists()


def test_an_incremental_pull_reads_what_changed_and_no_more(sandbox: Sandbox, tmp_path: Path) -> None:
    since = clock.now() + timedelta(hours=1)
    sandbox.shop.offset = timedelta(hours=2)
    change(sandbox.shop, 10)
    until = since + timedelta(hours=2)
    folder = pull(sandbox, tmp_path, "Order", Interval(since, until))
    changed = {
        number for number, family in sandbox.shop.history.orders.items() if family.order.updated_at >= since.timestamp()
    }
    assert {int(digits(id_) or 0) for id_ in by_id(folder, "Order")} == changed
    assert 0 < len(changed) < 30


def test_more_records_of_one_second_than_a_chain_may_pass_are_read_by_id(sandbox: Sandbox, tmp_path: Path) -> None:
    """A mass edit stamps everything with one instant; no record of it is lost."""
    since = clock.now() + timedelta(hours=1)
    sandbox.shop.offset = timedelta(hours=2)
    change(sandbox.shop, 100)
    folder = pull(sandbox, tmp_path, "Order", Interval(since, since + timedelta(hours=2)), limits=SMALL)
    orders = sandbox.shop.history.orders
    changed = {number for number, family in orders.items() if family.order.updated_at >= since.timestamp()}
    assert {int(digits(id_) or 0) for id_ in by_id(folder, "Order")} == changed
    assert len(changed) > SMALL.longest
    assert len(lines(folder, "Order")) == len(changed)


def test_customers_are_read_by_whole_days_and_the_others_are_told(sandbox: Sandbox, tmp_path: Path) -> None:
    newest = max(family.customer.updated_at for family in sandbox.shop.history.customers.values())
    since = datetime.fromtimestamp(newest, UTC)
    wanted = asked(sandbox, tmp_path, "Customer", Interval(since, since + timedelta(days=1)))
    going = session(sandbox, tmp_path)
    going.fetch(wanted, tmp_path / "Customer")
    proof = going.reconcile(wanted, tmp_path / "Customer")
    found = by_id(tmp_path / "Customer", "Customer").values()
    inside = [one for one in found if datetime.fromisoformat(one["Customer"]["updatedAt"]) >= since]
    assert proof.outside_window == len(found) - len(inside) and inside


def test_since_bounds_orders_by_their_creation(sandbox: Sandbox, tmp_path: Path) -> None:
    created = sorted(family.order.created_at for family in sandbox.shop.history.orders.values())
    since = datetime.fromtimestamp(created[60], UTC)
    bounded = replace(courier(), since=since)
    wanted = asked(sandbox, tmp_path, "Order")
    going = session(sandbox, tmp_path, given=bounded)
    going.fetch(wanted, tmp_path / "Order")
    assert going.reconcile(wanted, tmp_path / "Order").counted == len([at for at in created if at >= created[60]])
    assert "Order" in going.preflight().bounded


def test_a_record_that_changes_while_it_is_drained_is_read_anew(sandbox: Sandbox, tmp_path: Path) -> None:
    """An order's lines are all of one version, that of its own line in the raw stream."""
    sandbox.faults.add({"kind": "mutate", "contains": "OrderlineItemsDrain"})
    folder = pull(sandbox, tmp_path, "Order")
    longest = max(by_id(folder, "Order").values(), key=lambda order: len(order.get("Order.lineItems", [])))
    number = int(digits(longest["Order"]["id"]) or 0)
    assert longest["Order"]["note"] == "touched"
    family = sandbox.shop.history.orders[number]
    assert [line["quantity"] for line in longest["Order.lineItems"]] == [line.quantity for line in family.lines]
    assert operations(sandbox).count("OrderRecord") == 1


def test_a_record_that_keeps_changing_is_not_taken_half(sandbox: Sandbox, tmp_path: Path, waits: list[float]) -> None:
    sandbox.faults.add({"kind": "mutate", "contains": "OrderlineItemsDrain", "times": 0})
    with pytest.raises(Incomplete, match="could not be read whole"):
        pull(sandbox, tmp_path, "Order")


def test_changes_while_paging_lose_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    """Records that move between pages are there in their newest version, or in the next period."""
    sandbox.faults.add({"kind": "mutate", "contains": "OrderPage", "times": 0})
    folder = pull(sandbox, tmp_path, "Order", limits=SMALL)
    assert {int(digits(id_) or 0) for id_ in by_id(folder, "Order")} == set(sandbox.shop.history.orders)


def test_a_hidden_record_fails_the_proof(sandbox: Sandbox, tmp_path: Path, waits: list[float]) -> None:
    hidden = f"gid://shopify/Order/{next(iter(sandbox.shop.history.orders))}"
    for contains, times in (("orders(", 0), ("OrderPage", 1)):
        sandbox.faults.clear()
        sandbox.faults.add({"kind": "hidden", "record": hidden, "contains": contains, "times": times})
        with pytest.raises(Incomplete) as caught:
            pull(sandbox, tmp_path / contains[:3], "Order")
        assert hidden not in caught.value.message


def test_a_duplicate_page_is_asked_for_again(sandbox: Sandbox, tmp_path: Path) -> None:
    undisturbed = pull(sandbox, tmp_path / "whole", "Order")
    wanted = asked(sandbox, tmp_path, "Order")
    sandbox.faults.add({"kind": "duplicate_page", "contains": "OrderlineItemsDrain", "nth": 2})
    session(sandbox, tmp_path).fetch(wanted, tmp_path / "Order")
    assert by_id(tmp_path / "Order", "Order") == by_id(undisturbed, "Order")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "retry_after": 3},
        {"kind": "status", "status": 503},
        {"kind": "throttled"},
        {"kind": "internal_error"},
        {"kind": "reset"},
        {"kind": "truncated"},
    ],
)
def test_passing_trouble_changes_nothing(
    fault: dict[str, object], sandbox: Sandbox, tmp_path: Path, waits: list[float]
) -> None:
    undisturbed = pull(sandbox, tmp_path / "whole", "Order")
    sandbox.faults.add({**fault, "contains": "OrderPage", "times": 2})
    assert by_id(pull(sandbox, tmp_path, "Order"), "Order") == by_id(undisturbed, "Order")
    assert waits


def test_pages_become_smaller_when_large_ones_fail(sandbox: Sandbox, tmp_path: Path, waits: list[float]) -> None:
    sandbox.faults.add({"kind": "internal_error", "contains": '"first":250', "times": 0})
    folder = pull(sandbox, tmp_path, "Order")
    assert len(by_id(folder, "Order")) == 120
    assert operations(sandbox).count("OrderPage") > 2


def test_a_small_bucket_is_never_overdrawn(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are paced by what the shop says of its bucket, so that it never has to refuse one."""
    real, slept = clock.now, [0.0]
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(slept)))
    monkeypatch.setattr(clock, "sleep", slept.append)
    settings = Settings(bucket_size=1000, restore_rate=50)
    with serve(sandbox.shop, settings=settings) as small:
        pull(small, tmp_path, "Order", limits=SMALL)
        pages = operations(small).count("OrderPage")
        spent = sum(entry["cost"] for entry in small.requests)
    assert pages == -(-120 // 7)
    assert sum(slept) > (spent - 1000) / 50 / 3  # what a page did not use is given back


@pytest.mark.parametrize(("fault", "word"), [({"status": 402}, "frozen"), ({"kind": "redirect"}, "redirect")])
def test_what_cannot_be_helped_ends_the_run_without_a_secret(
    fault: dict[str, object], word: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add({"kind": "status", "contains": "OrderPage", **fault})
    with pytest.raises(CourierError, match=word) as caught:
        pull(sandbox, tmp_path, "Order")
    said = repr(caught.value) + caught.value.message + caught.value.fix
    assert sandbox.credentials["SHOPIFY_ACCESS_TOKEN"] not in said


def test_deletes_are_read_from_events(sandbox: Sandbox, tmp_path: Path) -> None:
    """Destroyed customers, orders and products of the interval, and nothing else that happened."""
    since = clock.now() - timedelta(days=300)
    feeds = list(courier().feeds)
    session(sandbox, tmp_path).fetch_deletes(feeds, Interval(since, clock.now()), tmp_path / "deletes")
    expected = {
        (event.subject_type.lower(), str(event.subject_id))
        for event in sandbox.shop.history.events
        if event.action == "destroy" and event.created_at >= since.timestamp()
    }
    found = {(line["feed"], line["key"]) for line in lines(tmp_path / "deletes", "Delete")}
    assert found == expected
    session(sandbox, tmp_path).fetch_deletes(feeds, Interval(since, clock.now()), tmp_path / "again")


def test_deletes_of_more_than_a_year_ago_are_noted(sandbox: Sandbox, tmp_path: Path) -> None:
    interval = Interval(clock.now() - timedelta(days=400), None)
    session(sandbox, tmp_path).fetch_deletes(list(courier().feeds), interval, tmp_path)
    manifest = read_manifest(tmp_path)
    assert manifest and "a year" in manifest.claims["notes"][0]
