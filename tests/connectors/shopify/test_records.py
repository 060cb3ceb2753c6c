from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.connectors.shopify.document import plan
from courier.connectors.shopify.records import digits, lines_of, open_ends
from courier.errors import Incomplete
from courier.storage.selection import Node

Record = dict[str, Any]


def page(*nodes: Record, cursor: str | None = None) -> Record:
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor}}


def order_plan() -> Any:
    node = Node()
    node.at(["refunds"]).is_list = True
    node.at(["refunds", "refundLineItems", "quantity"])
    node.at(["lineItems", "title"])
    node.at(["customer", "addressesV2", "city"])
    return plan("Order", node)


def test_records_lie_in_streams_by_parent_and_position() -> None:
    """What no column asked for, the root's version here, is not written down."""
    record = {
        "id": "o",
        "updatedAt": "t",
        "lineItems": page({"title": "a"}, {"title": "b"}),
        "refunds": [{"id": "r", "refundLineItems": page({"quantity": 2})}, {"id": "s", "refundLineItems": page()}],
        "customer": {"addressesV2": page({"city": "x"})},
    }
    assert lines_of(order_plan(), record, 7, "now").by_stream == {
        "Order": [{"__record": 7, "__fetchedAt": "now", "id": "o", "customer": {}}],
        "Order.lineItems": [
            {"__record": 7, "__parentId": "o", "__index": 0, "title": "a"},
            {"__record": 7, "__parentId": "o", "__index": 1, "title": "b"},
        ],
        "Order.refunds": [
            {"__record": 7, "__parentId": "o", "__index": 0, "id": "r"},
            {"__record": 7, "__parentId": "o", "__index": 1, "id": "s"},
        ],
        "Order.refunds.refundLineItems": [{"__record": 7, "__parentId": "r", "__index": 0, "quantity": 2}],
        "Order.customer.addressesV2": [{"__record": 7, "__parentId": "o", "__index": 0, "city": "x"}],
    }


def test_open_ends_are_found_at_every_depth() -> None:
    record = {
        "id": "o",
        "lineItems": page({"title": "a"}, cursor="1"),
        "refunds": [{"id": "r", "refundLineItems": page(cursor="2")}],
        "customer": {"addressesV2": page(cursor="3")},
    }
    found = {(end.stream, end.holder, end.cursor) for end in open_ends(order_plan(), record)}
    assert found == {
        ("Order.lineItems", "o", "1"),
        ("Order.refunds.refundLineItems", "r", "2"),
        ("Order.customer.addressesV2", "o", "3"),
    }


def test_an_absent_object_has_no_records_below_it() -> None:
    record: Record = {"id": "o", "lineItems": page(), "refunds": [], "customer": None}
    assert lines_of(order_plan(), record, 0, "now").by_stream["Order"][0]["customer"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {"lineItems": None},
        {"lineItems": {"nodes": []}},
        {"lineItems": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}},
        {"lineItems": page(None)},  # type: ignore[arg-type]
        {"refunds": None},
        {"refunds": [None]},
    ],
)
def test_a_set_that_is_not_there_is_never_taken_for_an_empty_one(broken: Record) -> None:
    record: Record = {"id": "o", "lineItems": page(), "refunds": [], "customer": None, **broken}
    with pytest.raises(Incomplete):
        lines_of(order_plan(), record, 0, "now")


@given(st.integers(0, 2**63 - 1))
def test_digits_of_a_gid(number: int) -> None:
    assert digits(f"gid://shopify/Order/{number}") == str(number)
    assert digits(f"gid://shopify/MailingAddress/{number}?model_name=CustomerAddress") == str(number)
    assert digits("gid://shopify/Order/") is digits(None) is None
