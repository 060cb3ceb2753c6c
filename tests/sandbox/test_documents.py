"""The documents a connector needs run as they are, at the documented cost."""

from __future__ import annotations

import pytest

from tests.sandbox import documents
from tests.sandbox.client import Client


@pytest.mark.parametrize(
    ("document", "costs"),
    [
        (documents.CUSTOMERS, {50: 72, 100: 92, 250: 112}),
        (documents.ORDERS, {10: 238, 50: 415, 100: 533, 250: 651}),
        (documents.REFUNDS, {50: 177, 100: 227, 250: 277}),
        (documents.PRODUCTS, {50: 9, 100: 11, 250: 13}),
        (documents.VARIANTS, {50: 30, 100: 38, 250: 46}),
        (documents.LOCATIONS, {50: 9, 100: 11, 250: 13}),
        (documents.EVENTS, {50: 9, 100: 11, 250: 13}),
        (documents.METAFIELDS, {50: 72, 100: 92, 250: 112}),
        (documents.PUBLICATIONS, {10: 74, 250: 200}),
    ],
)
def test_a_page_costs_what_is_documented(reading: Client, document: str, costs: dict[int, int]) -> None:
    """Law: the fitted formula gives the recorded costs."""
    assert {first: reading.cost(document, first=first) for first in costs} == costs


def test_other_documents_cost_what_is_documented(reading: Client) -> None:
    """Preflight 5, counts 10 each, overflow pages by their inner connection, a probe of ids 1."""
    order, customer = "gid://shopify/Order/1", "gid://shopify/Customer/1"
    assert reading.cost(documents.PREFLIGHT) == 5
    assert reading.cost(documents.COUNTS) == 40
    assert reading.cost(documents.ADDRESSES, id=customer) == 14
    assert reading.cost(documents.ORDER_LINES, id=order) == 69
    assert reading.cost(documents.REFUND_LINES, id="gid://shopify/Refund/1") == 36
    assert reading.cost(documents.PROBE, ids=[order]) == 1


def test_the_shop_says_who_it_is(reading: Client) -> None:
    """Preflight: the shop, its scopes without read_users, the versions."""
    found = reading.data(documents.PREFLIGHT)
    scopes = {scope["handle"] for scope in found["currentAppInstallation"]["accessScopes"]}
    assert found["shop"]["myshopifyDomain"] == "courier-sandbox.myshopify.com"
    assert {"read_orders", "read_all_orders", "read_locations"} <= scopes and "read_users" not in scopes
    assert {"handle": "2026-10", "supported": True} in found["publicApiVersions"]


def test_any_record_is_found_by_its_id(reading: Client) -> None:
    """Law: node(id) finds what a page showed, under the same id; an unknown id is null."""
    order = reading.every(documents.REFUNDS, "orders", first=250)
    refund = next(refund for node in order for refund in node["refunds"])
    customer = next(i for i in reading.every(documents.CUSTOMERS, "customers", first=250) if i["defaultAddress"])
    line = next(i for i in reading.every(documents.ORDERS, "orders", first=250) if i["lineItems"]["nodes"])
    variant = reading.every(documents.VARIANTS, "productVariants", first=250)[0]
    ids = [
        order[0]["id"],
        refund["id"],
        customer["id"],
        customer["defaultAddress"]["id"],
        line["lineItems"]["nodes"][0]["id"],
        variant["id"],
    ]
    found = reading.data(documents.PROBE, ids=[*ids, "gid://shopify/Order/1"])["nodes"]
    assert [node and node["id"] for node in found] == [*ids, None]
    assert ids[3].endswith("?model_name=CustomerAddress")


def test_fragments_aliases_and_edges(reading: Client) -> None:
    """Law: nodes and edges show the same records; an alias renames the answer only."""
    text = "{ mine: orders(first: 3) { edges { cursor node { ...Short } } nodes { id kind: __typename } } }"
    found = reading.data(text + " fragment Short on Order { id }")["mine"]
    assert [edge["node"]["id"] for edge in found["edges"]] == [node["id"] for node in found["nodes"]]
    assert {node["kind"] for node in found["nodes"]} == {"Order"}


@pytest.mark.parametrize(
    ("text", "message", "code"),
    [
        (
            "query Q { orders(first: 1) { nodes { nope } } }",
            "Field 'nope' doesn't exist on type 'Order'",
            "undefinedField",
        ),
        (
            "{ orders(fist: 1) { nodes { id } } }",
            "Field 'orders' doesn't accept argument 'fist'",
            "argumentNotAccepted",
        ),
        ("{ nodes { id } }", "Field 'nodes' is missing required arguments: ids", "missingRequiredArguments"),
        ("query Q($a: Int) { shop { id } }", "Variable $a is declared by Q but not used", "variableNotUsed"),
        (
            "{ shop }",
            "Field must have selections (field 'shop' returns Shop but has no selections. "
            "Did you mean 'shop { ... }'?)",
            "selectionMismatch",
        ),
    ],
)
def test_a_wrong_document_is_refused_in_shopifys_words(reading: Client, text: str, message: str, code: str) -> None:
    """Validation errors come at HTTP 200, without data, worded as graphql-ruby words them."""
    found = reading.answer(text)
    assert "data" not in found
    assert (found["errors"][0]["message"], found["errors"][0]["extensions"]["code"]) == (message, code)


def test_a_wrong_field_says_where_it_is(reading: Client) -> None:
    """The path goes from the operation's name down to the field."""
    error = reading.answer("query Q { orders(first: 1) { nodes { nope } } }")["errors"][0]
    assert error["path"] == ["query Q", "orders", "nodes", "nope"]
    assert error["extensions"] == {"code": "undefinedField", "typeName": "Order", "fieldName": "nope"}
