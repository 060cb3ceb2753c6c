from __future__ import annotations

from dataclasses import replace
from typing import cast

import graphql
import pytest

from courier.config.project import Mode
from courier.connectors.shopify import connector, cost, graph
from courier.connectors.shopify.deletes import document as delete_events
from courier.connectors.shopify.document import (
    connections,
    count_document,
    drain_document,
    ids_document,
    layout,
    page_document,
    plan,
    probe_document,
    record_document,
)
from courier.connectors.shopify.preflight import DOCUMENT
from courier.connectors.shopify.ways import planned
from courier.errors import ConfigurationError
from courier.storage.selection import Node, identity_of, select
from tests.connectors.shopify.shipped import ROOT, feed_of, request, with_column

ROOTS = tuple(graph.ROOTS)
LINE_PATHS = (
    "app.id",
    "customer.id",
    "retailLocation.id",
    "customerJourneySummary.lastVisit.id",
    "discountApplications.value.percentage",
    "shippingLines.discountAllocations.discountApplication.index",
    "lineItems.fulfillmentService.handle",
    "lineItems.product.id",
    "lineItems.variant.id",
    "lineItems.discountAllocations.discountApplication.index",
)


@pytest.fixture(scope="module")
def schema() -> graphql.GraphQLSchema:
    text = (ROOT / "src/courier/sandbox/shopify/schema/admin_2026-10.graphql").read_text()
    return graphql.build_schema(text, assume_valid=True)


def documents(root: str) -> list[str]:
    asked, kind = planned(request(root)), graph.ROOTS[root]
    sorts = {kind.sort, "ID"} if kind.searchable else {"ID"}
    made = [page_document(asked, sort) for sort in sorts] + [ids_document(kind, sort) for sort in sorts]
    made += [record_document(asked), probe_document(kind)]
    made += [drain_document(asked, connection) for connection in connections(asked).values()]
    return made + ([count_document(kind)] if kind.count else [])


@pytest.mark.parametrize("root", ROOTS)
def test_every_document_of_the_shipped_tables_is_valid(root: str, schema: graphql.GraphQLSchema) -> None:
    for document in [*documents(root), DOCUMENT, delete_events("CREATED_AT")]:
        assert graphql.validate(schema, graphql.parse(document)) == []


def test_streams_are_connections_and_lists_that_hold_one() -> None:
    assert layout(planned(request("Customer"))).streams == ("Customer", "Customer.addressesV2")
    assert layout(planned(request("Product"))).streams == ("Product", "Product.variants")
    assert layout(planned(request("Location"))).streams == ("Location",)
    orders = layout(planned(request("Order")))
    assert orders.streams[0] == "Order"
    assert set(orders.streams) == {
        "Order",
        "Order.lineItems",
        "Order.refunds",
        "Order.refunds.refundLineItems",
        "Order.discountApplications",
        "Order.shippingLines",
    }
    assert orders.lists == ("Order.discountCodes", "Order.tags")


def test_only_what_a_feed_needs_is_asked_for() -> None:
    """Personal data that no column asks for is never fetched."""
    asked = planned(request("Customer", feeds=("customer_tags",)))
    assert {field.name for field in asked.fields} == {"id", "legacyResourceId", "tags", "updatedAt"}
    text = page_document(asked, "UPDATED_AT")
    assert "email" not in text.lower() and "name" not in text.lower()


def test_a_new_column_is_one_line_of_yaml() -> None:
    """Fields that the connector has never heard of pass straight through."""
    order = request("Order", feeds=("order",))
    table = with_column(order.feeds[0].table, "po", "poNumber")
    table = with_column(table, "risk", "riskSummary.recommendation")
    table = with_column(table, "kinds", "paymentTerms.names[]")
    asked = planned(replace(order, feeds=(feed_of(table),)))
    text = page_document(asked, "UPDATED_AT")
    assert " poNumber " in text and "riskSummary { recommendation }" in text and "paymentTerms { names }" in text
    assert "Order.paymentTerms.names" in layout(asked).lists


def test_metafields_are_a_connection_everywhere() -> None:
    node = Node()
    node.at(["variants"]).is_list = True
    node.at(["variants", "metafields"]).is_list = True
    node.at(["variants", "metafields", "value"])
    asked = plan("Product", node)
    assert layout(asked).streams == ("Product", "Product.variants", "Product.variants.metafields")
    inner = connections(asked)["Product.variants.metafields"]
    assert (inner.holder.type, inner.path) == ("ProductVariant", ("metafields",))
    assert "variants(first: 50) { nodes { id metafields(first: 10) { nodes { value }" in page_document(asked, "ID")


def test_members_of_a_union_are_asked_for_by_fragments(schema: graphql.GraphQLSchema) -> None:
    node = Node()
    for path in ("code", "title", "value.percentage", "value.amount"):
        node.at(["discountApplications", *path.split(".")])
    text = page_document(plan("Order", node), "ID")
    assert "... on DiscountCodeApplication { code }" in text
    assert "... on PricingPercentageValue { percentage }" in text
    assert "... on MoneyV2 { amount }" in text
    assert graphql.validate(schema, graphql.parse(text)) == []


def test_a_connection_below_an_object_is_drained_through_it(schema: graphql.GraphQLSchema) -> None:
    node = Node()
    node.at(["customer", "addressesV2", "city"])
    asked = plan("Order", node)
    inner = connections(asked)["Order.customer.addressesV2"]
    assert inner.path == ("customer", "addressesV2")
    assert graphql.validate(schema, graphql.parse(drain_document(asked, inner))) == []


def test_a_name_cannot_smuggle_anything_into_the_document() -> None:
    node = Node()
    node.at(["tags } evil {"])
    with pytest.raises(ConfigurationError):
        plan("Order", node)


@pytest.mark.parametrize(
    ("root", "feeds", "costs"),
    [
        ("Customer", (), {50: 72, 100: 92, 250: 112}),
        ("Product", ("product",), {50: 9, 100: 11, 250: 13}),
        ("Location", (), {50: 9, 100: 11, 250: 13}),
    ],
)
def test_the_cost_is_what_the_api_tells(root: str, feeds: tuple[str, ...], costs: dict[int, int]) -> None:
    asked = planned(request(root, feeds=feeds))
    assert {size: cost.cost_of(asked, size) for size in costs} == costs


def test_the_cost_of_lines_and_refunds_is_what_the_api_tells() -> None:
    lines = Node()
    for path in LINE_PATHS:
        lines.at(path.split("."))
    assert [cost.cost_of(plan("Order", lines), size) for size in (50, 100, 250)] == [415, 533, 651]
    refunds = Node()
    refunds.at(["refunds"]).is_list = True
    refunds.at(["refunds", "refundLineItems", "location", "id"])
    refunds.at(["refunds", "refundLineItems", "lineItem", "id"])
    asked = plan("Order", refunds)
    assert cost.cost_of(asked, 250) == 2 + 11 * (1 + 1 + 2 + 5 * 3)


def test_pages_are_as_large_as_the_cost_and_the_bucket_allow() -> None:
    asked = planned(request("Order"))
    assert connector.estimate(request("Order")).page_size == 250
    assert connector.estimate(request("Order")).page_cost <= 1000
    assert cost.page_sizes(asked, 500)[0] < 250
    assert cost.page_sizes(asked, 1) == (1,)


def test_how_a_request_will_be_fetched_is_foretold() -> None:
    """By count where nobody chose and it can be had in bulk, else as it was chosen."""
    for root, mode, expected in (
        ("Order", "auto", ("auto", 5_000)),
        ("Order", "bulk", ("bulk", None)),
        ("Order", "pages", ("pages", None)),
        ("Location", "auto", ("pages", None)),
        ("AbandonedCheckout", "auto", ("pages", None)),
    ):
        found = connector.estimate(replace(request(root), mode=cast(Mode, mode)))
        assert (found.mode, found.bulk_above) == expected


def test_a_childs_request_brings_its_parents_identity() -> None:
    alone = request("Order", feeds=("order_line",))
    names = {field.name for field in planned(alone).fields}
    assert {"id", "legacyResourceId", "updatedAt", "lineItems"} == names
    assert select([identity_of(alone.parents["order"])])["Order"].fields.keys() == {"legacyResourceId", "updatedAt"}
