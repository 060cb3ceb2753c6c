from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from courier.connectors.contract import Preflight, without
from courier.connectors.shopify import connector
from courier.connectors.shopify.session import ShopifySession
from courier.errors import SourceRefused
from courier.sandbox import open_shop, serve
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.scopes import EVERYTHING, GRANTED
from courier.sandbox.shopify.service import Settings
from courier.storage.load import ColumnStatus
from tests.connectors.shopify.pulling import ROOTS, session, silent
from tests.connectors.shopify.shipped import courier, request
from tests.http.scripted import json_answer, serving


@pytest.fixture(scope="module")
def shop() -> Shop:
    return open_shop(options=Options(customers=20, orders=40, products=5, special=False))


@contextmanager
def with_scopes(shop: Shop, *scopes: str) -> Iterator[Sandbox]:
    with serve(shop, settings=Settings(scopes=scopes)) as sandbox:
        yield sandbox


def reasons(found: Preflight) -> dict[str, str]:
    return {f"{status.feed}.{status.column}": status.reason for status in found.statuses}


IMPOSSIBLE = {
    "order.processing_method": "not_in_graphql",
    "product.published_scope": "not_in_graphql",
    "product_variant.fulfillment_service": "not_in_graphql",
}


def test_the_shop_is_known_before_the_first_page(sandbox: Sandbox, tmp_path: Path) -> None:
    found = session(sandbox, tmp_path).preflight()
    assert found.identity.isdigit() and found.api_version == "2026-10"
    assert reasons(found) == {**IMPOSSIBLE, "order.user_id": "scope_missing:read_users"}
    assert (found.unreachable, found.notes, found.bounded) == ({}, (), frozenset())


def test_the_shops_name_cannot_steer_a_terminal(tmp_path: Path) -> None:
    shown = {"shop": {"id": "gid://shopify/Shop/7", "name": " A\u2028\n \x1b[2J\u202eB \x00 👩\u200d👧 "}}
    with serving(json_answer({"data": {**shown, "currentAppInstallation": {"accessScopes": []}}})) as server:
        given = replace(courier(), endpoint=server.origin)
        found = ShopifySession(given, {"access_token": "x"}, tmp_path, silent).preflight()
    assert found.name == "A [2J B 👩\u200d👧"


def test_with_every_scope_only_the_impossible_is_null(shop: Shop, tmp_path: Path) -> None:
    with with_scopes(shop, *EVERYTHING) as sandbox:
        assert reasons(session(sandbox, tmp_path).preflight()) == IMPOSSIBLE


def test_writing_implies_reading(shop: Shop, tmp_path: Path) -> None:
    with with_scopes(shop, *(scope.replace("read_", "write_") for scope in EVERYTHING)) as sandbox:
        assert "order.customer_id" not in reasons(session(sandbox, tmp_path).preflight())


@pytest.mark.parametrize("lost", GRANTED)
def test_whatever_scope_is_missing_the_rest_is_read(lost: str, shop: Shop, tmp_path: Path) -> None:
    """What a missing scope takes away is pruned before the first page, so that nothing is ever denied."""
    with with_scopes(shop, *(scope for scope in GRANTED if scope != lost)) as sandbox:
        going = session(sandbox, tmp_path)
        found = going.preflight()
        for root in ROOTS:
            wanted = request(root, statuses=found.statuses)
            reachable = tuple(feed for feed in wanted.feeds if feed.name not in found.unreachable)
            if reachable:
                wanted = replace(wanted, feeds=reachable)
                going.fetch(wanted, tmp_path / root)
                going.reconcile(wanted, tmp_path / root)


def test_a_scope_that_is_missing_takes_columns_or_whole_feeds(shop: Shop, tmp_path: Path) -> None:
    with with_scopes(shop, "read_orders") as sandbox:
        found = session(sandbox, tmp_path).preflight()
    assert set(found.unreachable) == {
        "customer",
        "customer_address",
        "customer_tags",
        "product",
        "product_tags",
        "product_variant",
        "locations",
    }
    assert found.unreachable["locations"] == "scope_missing:read_locations"
    found_reasons = reasons(found)
    assert found_reasons["order.customer_id"] == "scope_missing:read_customers"
    assert found_reasons["order.location_id"] == "scope_missing:read_locations|read_inventory|read_markets_home"
    assert found_reasons["order_line.product_id"] == "scope_missing:read_products"
    assert "order.total_line_items_price" not in found_reasons


def test_without_read_all_orders_the_run_says_what_is_out_of_reach(shop: Shop, tmp_path: Path) -> None:
    with with_scopes(shop, *(scope for scope in GRANTED if scope != "read_all_orders")) as sandbox:
        found = session(sandbox, tmp_path).preflight()
    assert found.notes == ("without the scope read_all_orders, orders older than 60 days are out of reach",)
    assert found.bounded == {"Order"}


def test_an_old_version_falls_forward_and_what_it_lacks_is_null(shop: Shop, tmp_path: Path) -> None:
    """The version that really answers decides what is asked for, whatever was written in the courier's file."""
    old = replace(courier(), api_version="2025-07")
    with serve(shop) as sandbox:
        going = session(sandbox, tmp_path, given=old)
        found = going.preflight()
        wanted = request("Order", statuses=found.statuses)
        going.fetch(wanted, tmp_path / "Order")
        assert going.reconcile(wanted, tmp_path / "Order").fetched == 40
    assert found.api_version == "2026-01"
    assert "asks for API version 2025-07, the shop answers in 2026-01" in found.notes[0]
    late = {name: reason for name, reason in reasons(found).items() if reason.startswith("api_version")}
    assert late == {
        "order.cart_token": "api_version:2026-07",
        "order.checkout_token": "api_version:2026-07",
        "order_line.grams": "api_version:2026-07",
    }


def test_a_denied_path_ends_the_run_and_empties_nothing(shop: Shop, tmp_path: Path) -> None:
    with with_scopes(shop, "read_orders") as sandbox, pytest.raises(SourceRefused, match="read_customers"):
        session(sandbox, tmp_path).fetch(request("Customer"), tmp_path / "Customer")


def test_client_credentials_open_the_shop(shop: Shop, tmp_path: Path) -> None:
    with serve(shop) as sandbox:
        names = ("SHOPIFY_STORE", "SHOPIFY_CLIENT_ID", "SHOPIFY_CLIENT_SECRET")
        store, client_id, client_secret = (sandbox.credentials[name] for name in names)
        credential = {"store": store, "client_id": client_id, "client_secret": client_secret}
        given = replace(courier(), endpoint=sandbox.url)
        going = connector.open(given, credential, tmp_path, lambda progress: None)
        assert going.preflight().identity.isdigit()


def test_pruned_columns_read_nothing() -> None:
    feed = courier().feed("order")
    pruned = without(feed, list(_statuses()))
    column = pruned.table.column("user_id")
    assert (column.sources, column.sql, column.unavailable) == ((), None, "scope_missing:read_users")
    assert pruned.table.column("id") == feed.table.column("id")


def _statuses() -> Iterator[ColumnStatus]:
    yield ColumnStatus("order", "user_id", "scope_missing:read_users")
    yield ColumnStatus("order_line", "id", "scope_missing:read_orders")
