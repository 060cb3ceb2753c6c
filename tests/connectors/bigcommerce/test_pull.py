"""What is pulled, with how few requests, and what fails a run."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from courier.connectors.bigcommerce.catalogue import Rating
from courier.connectors.contract import Fetching, Waiting
from courier.errors import Incomplete
from courier.sandbox import change, truth
from courier.sandbox.bigcommerce import ids
from courier.sandbox.bigcommerce.made import MANY_REVIEWS
from courier.sandbox.server import Sandbox
from tests.connectors.bigcommerce.conftest import paths
from tests.connectors.bigcommerce.pulling import Pulled, pull

LINES = ("orders", "order_products")


def orders(sandbox: Sandbox) -> dict[int, int]:
    """Order -> how many lines it has."""
    return {ids.order(one.order.number): len(one.lines) for one in sandbox.shop.history.orders.values()}


def lines_of(pulled: Pulled) -> dict[int, int]:
    found = Counter(int(line["__parentId"]) for line in pulled.lines("Order.products"))
    return {identity: found[identity] for identity in pulled.ids("Order")}


def test_orders_come_with_their_lines_and_few_requests(sandbox: Sandbox, tmp_path: Path) -> None:
    """250 orders to a request, and one list for the order of 300 lines, whose embed stops at 50.

    Beside the pages: two counts. 10,000 orders take 41 pages.
    """
    pulled = pull(sandbox, tmp_path, "Order", *LINES)
    assert lines_of(pulled) == orders(sandbox)
    assert pulled.proof.counted == pulled.proof.fetched == 600
    asked = Counter(paths(sandbox))
    assert asked["orders"] == 3
    assert asked["orders/count"] == 2
    long = {path for path in asked if path.endswith("/products")}
    assert len(long) <= 2 and sum(asked.values()) == 5 + sum(asked[path] for path in long)


def test_an_empty_embed_is_noticed(sandbox: Sandbox, tmp_path: Path) -> None:
    """Seen in the field: consignments without lines, of orders that have some."""
    some = frozenset(sorted(orders(sandbox))[100:103])
    sandbox.bigcommerce.set(empty=some)
    assert lines_of(pull(sandbox, tmp_path, "Order", *LINES)) == orders(sandbox)
    assert {f"orders/{identity}/products" for identity in some} <= {*paths(sandbox)}


def test_lines_that_never_add_up_fail_the_run(sandbox: Sandbox, tmp_path: Path) -> None:
    """Neither the embed nor the order's own list has what `items_total` says."""
    sandbox.bigcommerce.set(short=frozenset({min(one for one, lines in orders(sandbox).items() if lines)}))
    with pytest.raises(Incomplete, match="do not add up"):
        pull(sandbox, tmp_path, "Order", *LINES)


@pytest.mark.parametrize(("root", "feed"), [("Order", "orders"), ("Customer", "customers"), ("Product", "products")])
def test_a_record_that_is_counted_and_not_shown_fails_the_run(
    root: str, feed: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    hidden = {"Order": "130", "Customer": "20", "Product": "5"}[root]
    sandbox.faults.add({"kind": "hidden", "record": hidden, "times": 0})
    with pytest.raises(Incomplete, match="the store counts"):
        pull(sandbox, tmp_path, root, feed)


def test_an_order_that_changes_while_it_is_read_costs_no_other_one(sandbox: Sandbox, tmp_path: Path) -> None:
    """One of the first page moves to the end of the list, and all after it up by one: by page numbers one is lost."""
    first = min(sandbox.shop.history.orders.values(), key=lambda family: family.order.updated_at).order.id

    def touch(told: Fetching | Waiting) -> None:
        if isinstance(told, Fetching) and told.records >= 250 and not sandbox.shop.changes:
            sandbox.shop.add({"kind": "touch", "order": first, "at": sandbox.shop.seconds()})

    since = sandbox.shop.now() - timedelta(days=5_000)
    pulled = pull(sandbox, tmp_path, "Order", *LINES, since=since, progress=touch)
    assert sandbox.shop.changes and {*pulled.ids("Order")} == orders(sandbox).keys()


def test_pages_that_are_too_much_are_asked_for_smaller(sandbox: Sandbox, tmp_path: Path) -> None:
    """The store breaks down over 250 orders with their lines, after two pages also over 50, but not over ten."""
    sandbox.faults.add(
        {"kind": "status", "status": 500, "contains": "/v2/orders?limit=250&", "times": 0},
        {"kind": "status", "status": 500, "contains": "/v2/orders?limit=50&", "nth": 3, "times": 0},
    )
    assert lines_of(pull(sandbox, tmp_path, "Order", *LINES)) == orders(sandbox)


def test_a_list_by_numbers_that_grows_while_it_is_read_is_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    """Values of attributes cannot be sorted by change; here customers come and change after the third page."""

    def grow(told: Fetching | Waiting) -> None:
        if isinstance(told, Fetching) and told.records >= 750 and not sandbox.shop.changes:
            change(sandbox.shop, 200, ["bigcommerce"])

    pulled = pull(sandbox, tmp_path, "CustomerAttributeValue", "customer_attribute_values", progress=grow)
    (now,) = truth(sandbox.shop, ["customer_attribute_values"], "bigcommerce")
    assert sandbox.shop.changes and len({*pulled.ids("CustomerAttributeValue")}) == now.rows > 7_000


def test_customers_of_one_second_are_all_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """More of them than a page holds share the second of a bulk edit; addresses beyond the tenth are asked for."""
    pulled = pull(sandbox, tmp_path, "Customer", "customers", "customer_addresses", "customer_form_field_values")
    families = {ids.customer(key): family for key, family in sandbox.shop.history.customers.items()}
    assert sorted(pulled.ids("Customer")) == sorted(families)
    found = Counter(int(line["__parentId"]) for line in pulled.lines("Customer.addresses"))
    assert found == Counter({key: len(family.addresses) for key, family in families.items() if family.addresses})
    asked = Counter(paths(sandbox))
    assert (asked["customers/addresses"], asked["customers"] <= 14) == (2, True)


def test_nothing_is_kept_that_no_column_reads(sandbox: Sandbox, tmp_path: Path) -> None:
    """A line on disk has what the tables ask for, and what the load path needs."""
    line = pull(sandbox, tmp_path, "Order", *LINES).lines("Order")[0]
    assert not {"consignments", "products", "coupons"} & line.keys()
    assert "form_fields" not in line["billing_address"]


def test_reviews_are_read_again_only_where_they_moved(sandbox: Sandbox, tmp_path: Path) -> None:
    """Of all products, those whose count or sum is other than that of the stored ones; here three of twelve."""
    whole = pull(sandbox, tmp_path / "whole", "Product", "products", "product_reviews")
    rows = [(int(one["__parentId"]), one["status"], one["rating"]) for one in whole.lines("Product.reviews")]
    assert Counter(product for product, *_ in rows)[MANY_REVIEWS] == 260
    moved: dict[int, Rating] = {}
    for product in sorted({row[0] for row in rows})[:3]:
        moved[product] = (0, 0)
        place = next(n for n, row in enumerate(rows) if row[0] == product and row[1] == "approved")
        rows[place] = (product, "approved", rows[place][2] + 1) if product % 2 else (product, "disapproved", 1)
    sandbox.bigcommerce.log.clear()
    now = sandbox.shop.now() + timedelta(days=1)
    again = pull(
        sandbox, tmp_path / "again", "Product", "products", "product_reviews", since=now,
        stored=lambda feed, columns: rows if feed == "product_reviews" else (),
    )  # fmt: skip
    asked = {path for path in paths(sandbox) if path.endswith("/reviews")}
    assert asked == {f"catalog/products/{product}/reviews" for product in moved}
    assert sorted(again.ids("Product")) == sorted(moved)


def test_a_fetch_goes_on_where_it_was_cut_off(sandbox: Sandbox, tmp_path: Path) -> None:
    """The store is away after the second page, for pages of all sizes; the next try asks for none of them again."""
    away = {"kind": "status", "status": 503, "contains": "/v2/orders?", "nth": 3, "times": 30}
    sandbox.faults.add(away)
    with pytest.raises(Exception, match="503"):
        pull(sandbox, tmp_path, "Order", *LINES)
    before = len(paths(sandbox))
    pulled = pull(sandbox, tmp_path, "Order", *LINES)
    assert lines_of(pulled) == orders(sandbox)
    assert paths(sandbox)[before:].count("orders") == 1
