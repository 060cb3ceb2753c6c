"""What a bulk operation is asked with: documents that the shop takes, and why some plans cannot be had in bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.clock import Interval
from courier.config.paths import parse_rows
from courier.config.project import DomainTable, Feed
from courier.connectors.contract import Request
from courier.connectors.shopify.bulk.documents import bulk_document, bulk_layout, left_out, obstacle
from courier.connectors.shopify.document import Field
from courier.connectors.shopify.ways import planned
from courier.sandbox.shopify.bulk.rules import Query, Refused, read
from tests.connectors.shopify.bulk_pulling import IN_BULK
from tests.connectors.shopify.shipped import feed_of, project, request, with_column

VERSION = "2026-10"
TABLES = project().folders["shopify"]


def of_tables(root: str, tables: Sequence[DomainTable]) -> Request:
    parents = {table.parent: TABLES[table.parent] for table in tables if table.parent}
    return Request(root, root, tuple(map(feed_of, tables)), parents, Interval(None, None))


def with_metafields(root: str) -> Request:
    """All feeds of a root record type, the optional ones too."""
    return of_tables(root, [table for table in TABLES.values() if table.rows.root == root])


def plan_of(*tables: DomainTable) -> tuple[Field, tuple[Feed, ...]]:
    asked = of_tables(tables[0].rows.root, tables)
    return planned(asked), asked.feeds


def accepted(plan: Field, query: str | None = None) -> Query:
    """What the sandbox, which knows Shopify's rules and nothing of courier, reads from the document."""
    return read(VERSION, f"# courier 0 shopify run {plan.stream}\n{bulk_document(plan, query)}")


CHOICES = {
    **{root: request(root) for root in IN_BULK},
    **{f"{root} with metafields": with_metafields(root) for root in IN_BULK},
    **{table.name: of_tables(table.rows.root, [table]) for table in TABLES.values() if table.rows.root in IN_BULK},
}


@pytest.mark.parametrize("name", CHOICES)
def test_every_shipped_choice_is_taken_by_the_shop(name: str) -> None:
    """Whatever feeds are chosen: one root connection, `edges`, at most five connections, none within a list."""
    asked = CHOICES[name]
    plan = planned(asked)
    assert obstacle(plan, asked.feeds) == ""
    assert accepted(plan).name == plan.name


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1))
def test_the_shop_reads_the_very_filter(query: str) -> None:
    """Quotes and backslashes too."""
    plan = planned(request("Product", feeds=("product_tags",)))
    found = accepted(plan, query).arguments
    assert found["query"] == query
    assert found["sortKey"] == "UPDATED_AT"


def test_nodes_say_first_what_they_are_and_which() -> None:
    document = bulk_document(planned(with_metafields("Order")), None)
    assert document.count("node { __typename ") == document.count("node {") == 5
    assert document.count("{ orders(sortKey: UPDATED_AT) { edges { node { __typename id ") == 1
    assert "refunds { id }" in document and "pageInfo" not in document


ORDER, PRODUCT = TABLES["order"], TABLES["product"]


def below(rows: str, column: str = "id") -> DomainTable:
    """A table of rows that no shipped one has, of one column."""
    table = replace(TABLES["order_tags"], name="made_up", rows=parse_rows(rows), columns=(), parent=None)
    return with_column(table, "extra", column)


def shown(*tables: DomainTable) -> str:
    return obstacle(*plan_of(*tables))


MANY = [
    *(below(f"Order.{name}[]") for name in ("lineItems", "shippingLines", "agreements", "metafields")),
    below("Order.discountApplications[]", "index"),
]
OBSTACLES: dict[str, Callable[[], str]] = {
    "locations cannot be searched by the time of their change": lambda: shown(TABLES["locations"]),
    "abandonedCheckouts cannot be searched by the time of their change": lambda: shown(TABLES["abandoned_checkout"]),
    "order.extra reads a record by its place in a connection": lambda: shown(
        with_column(ORDER, "extra", "lineItems[0].title")
    ),
    "order_line.extra reads a record by its place in a connection": lambda: shown(
        ORDER, with_column(TABLES["order_line"], "extra", "$index")
    ),
    "order reads Order.refunds, of which a bulk result has only the ids": lambda: shown(
        with_column(ORDER, "extra", "refunds[0].createdAt"), TABLES["order_line_refund"]
    ),
    "it takes more than 5 connections": lambda: shown(*MANY),
    "it takes connections more than 2 deep": lambda: shown(below("Customer.orders[].fulfillmentOrders[].lineItems[]")),
    "Product.variants.inventoryItem.inventoryLevels is a connection of an object that is no record": lambda: shown(
        below("Product.variants[].inventoryItem.inventoryLevels[]")
    ),
    "Customer.orders.refunds is a list with connections, and not of the root record": lambda: shown(
        below("Customer.orders[].refunds[].refundLineItems[]")
    ),
}


@pytest.mark.parametrize("expected", OBSTACLES)
def test_what_cannot_be_had_in_bulk_says_why(expected: str) -> None:
    found = OBSTACLES[expected]()
    assert found.replace("made_up", "order") == expected


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(MANY[:4], id="four connections below the root"),
        pytest.param([with_column(ORDER, "extra", "refunds[0].id"), TABLES["order_line_refund"]], id="ids of refunds"),
        pytest.param([with_column(ORDER, "extra", "refunds[0].createdAt")], id="a list without connections"),
        pytest.param([below("Order.tags[]", "$index")], id="places in a list"),
        pytest.param([below("Order.fulfillments[].fulfillmentLineItems[]", "quantity")], id="another left-out list"),
    ],
)
def test_what_stands_on_the_brink_is_taken(tables: list[DomainTable]) -> None:
    """Nothing is called an obstacle that is none: the shop takes the document."""
    plan, feeds = plan_of(*tables)
    assert obstacle(plan, feeds) == ""
    accepted(plan)


def test_more_than_five_connections_are_refused_by_the_shop_too() -> None:
    with pytest.raises(Refused, match="more than 5 connections"):
        accepted(plan_of(*MANY)[0])


def test_streams_of_a_result() -> None:
    """One per connection; the lists that are left out have none, but for feeds of their own."""
    plan = planned(with_metafields("Order"))
    found = bulk_layout(plan, "2026-01-01T00:00:00Z")
    connections = ("lineItems", "discountApplications", "shippingLines", "metafields")
    assert set(found.streams) == {"Order", *(f"Order.{name}" for name in connections)}
    assert found.streams[0] == "Order"
    assert found.left_out == left_out(plan) == ("Order.refunds",)
    assert found.fetched_at and found.is_bulk and {"Order.tags", "Order.discountCodes"} <= set(found.lists)
    assert bulk_layout(planned(request("Order", feeds=("order_tags",))), "x").left_out == ()


def test_metafields_of_products_and_variants_have_streams_of_their_own() -> None:
    found = bulk_layout(planned(with_metafields("Product")), "x")
    assert set(found.streams) == {
        "Product",
        "Product.metafields",
        "Product.variants",
        "Product.variants.metafields",
    }
