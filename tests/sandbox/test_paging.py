"""Connections: pages tile what a query finds, also while the shop changes."""

from __future__ import annotations

import pytest
from graphql import GraphQLError
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.paging import REACH, Arguments, Key, cursor, cut
from tests.sandbox import documents
from tests.sandbox.client import Client

KEYS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 10**6)), unique=True).map(sorted)


@given(keys=KEYS, size=st.integers(1, 5), reverse=st.booleans())
def test_pages_tile_the_set(keys: list[Key], size: int, reverse: bool) -> None:
    """Law: following end cursors gives every key once, in order; reversed, in the reversed order."""
    seen: list[Key] = []
    after = None
    while True:
        page = cut(keys, Arguments(first=size, after=after, reverse=reverse))
        found = page.of(keys)
        seen.extend(found)
        if len(found) < size:
            break
        after = cursor(found[-1])
    assert seen == (keys[::-1] if reverse else keys)


@given(keys=KEYS, size=st.integers(1, 5))
def test_last_pages_backwards(keys: list[Key], size: int) -> None:
    """Law: `last` with `before` walks the same set from its end."""
    seen: list[Key] = []
    before = None
    while found := cut(keys, Arguments(last=size, before=before)).of(keys):
        seen = [*found, *seen]
        before = cursor(found[0])
    assert seen == keys


@given(data=st.data())
@settings(max_examples=50)
def test_a_cursor_survives_updates(data: st.DataObject) -> None:
    """Law: when records move behind the cursor while paging, nothing that stayed ahead of it is missed."""
    keys: list[Key] = [(10, i) for i in range(20)]
    first = cut(keys, Arguments(first=5)).of(keys)
    after = cursor(first[-1])
    moved = data.draw(st.sets(st.sampled_from(range(20))))
    now: list[Key] = sorted((99, i) if i in moved else (10, i) for i in range(20))
    rest = set(cut(now, Arguments(first=250, after=after)).of(now))
    assert {(10, i) for i in range(5, 20) if i not in moved} | {(99, i) for i in moved} == rest


def test_no_page_lies_beyond_the_reach() -> None:
    """A connection ends with an error after 25,000 objects."""
    keys: list[Key] = [(0, i) for i in range(REACH + 10)]
    assert len(cut(keys, Arguments(first=250, after=cursor(keys[REACH - 2]))).of(keys)) == 11
    with pytest.raises(GraphQLError, match="25000"):
        cut(keys, Arguments(first=250, after=cursor(keys[REACH - 1])))


def test_orders_page_in_the_order_of_their_sort_key(reading: Client) -> None:
    """Law: sorted by UPDATED_AT ascending then id, in pages of any size the same; reversed, the other way round."""
    whole = reading.every(documents.IDS, "orders", first=250)
    assert whole == sorted(whole, key=lambda node: (node["updatedAt"], node["id"]))
    assert whole == reading.every(documents.IDS, "orders", first=7)
    assert whole[::-1] == reading.every(documents.IDS, "orders", first=7, reverse=True)


def test_an_order_updated_while_paging_comes_again(served: Sandbox, client: Client) -> None:
    """Law: with sortKey UPDATED_AT a record that changes during paging is seen again at the end; none is lost."""
    pages = client.pages(documents.IDS, "orders", first=50)
    seen = next(pages)
    first = seen[0]["id"]
    served.shop.add({"kind": "touch", "order": int(first.rsplit("/", 1)[-1]), "at": served.shop.seconds()})
    rest = [node for page in pages for node in page]
    assert rest[-1]["id"] == first and rest[-1]["updatedAt"] > seen[0]["updatedAt"]
    assert {node["id"] for node in [*seen, *rest]} == {f"gid://shopify/Order/{i}" for i in served.shop.history.orders}


def test_inner_connections_are_cut_and_drained(reading: Client) -> None:
    """Law: a page of 20 lines says hasNextPage; draining it gives every line of the order."""
    history = reading.sandbox.shop.history
    family = max(history.orders.values(), key=lambda family: len(family.lines))
    node = next(
        i for i in reading.every(documents.ORDERS, "orders", first=250) if i["legacyResourceId"] == str(family.order.id)
    )
    lines, info = node["lineItems"]["nodes"], node["lineItems"]["pageInfo"]
    assert len(lines) == 20
    while info["hasNextPage"]:
        more = reading.data(documents.ORDER_LINES, id=node["id"], after=info["endCursor"])["order"]["lineItems"]
        lines, info = [*lines, *more["nodes"]], more["pageInfo"]
    assert [line["id"] for line in lines] == [f"gid://shopify/LineItem/{line.id}" for line in family.lines]
    assert len(lines) == 300


def test_sizes_are_checked(reading: Client) -> None:
    """first or last, one of them, at most 250; a cursor must be a cursor; ids at most 250."""
    text = "query Q($first: Int, $after: String) { orders(first: $first, after: $after) { nodes { id } } }"
    messages = [
        reading.answer(text)["errors"][0]["message"],
        reading.answer(text, first=251)["errors"][0]["message"],
        reading.answer(text, first=1, after="?")["errors"][0]["message"],
        reading.answer(documents.PROBE, ids=["gid://shopify/Order/1"] * 251)["errors"][0]["extensions"]["code"],
    ]
    assert messages == [
        "you must provide one of first or last",
        "first and last cannot exceed 250",
        "Invalid cursor for current pagination sort.",
        "MAX_INPUT_SIZE_EXCEEDED",
    ]


def test_locations_hide_the_inactive_and_the_legacy(reading: Client) -> None:
    """Only includeInactive and includeLegacy show all of them."""
    shown = reading.data("{ locations(first: 50) { nodes { isActive isFulfillmentService } } }")["locations"]["nodes"]
    assert all(node["isActive"] and not node["isFulfillmentService"] for node in shown)
    assert len(reading.every(documents.LOCATIONS, "locations", first=2)) == len(reading.sandbox.shop.history.locations)
