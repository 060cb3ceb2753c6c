"""Scopes, tokens and the quota."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from courier.connectors.bigcommerce import connector
from courier.errors import ConfigurationError, SourceRefused
from courier.sandbox.bigcommerce.service import GRANTED
from courier.sandbox.server import Sandbox
from tests.connectors.bigcommerce.pulling import courier, pull, session

FEEDS = {
    "store_v2_information_read_only": {"store"},
    "store_channel_settings_read_only": {"channels"},
    "store_v2_customers_read_only": {
        "customers", "customer_addresses", "customer_attributes", "customer_attribute_values",
        "customer_form_field_values",
    },
    "store_v2_products_read_only": {"products", "product_variants", "product_reviews"},
    "store_v2_orders_read_only": {
        "orders", "order_products", "order_coupons", "order_refunds", "order_refund_items", "order_statuses",
    },
}  # fmt: skip


def test_the_store_is_known_before_the_first_page(sandbox: Sandbox, tmp_path: Path) -> None:
    found = session(sandbox, tmp_path).preflight()
    assert (found.identity, found.name) == (sandbox.bigcommerce.hash, "Courier Sandbox (made up)")
    assert (found.unreachable, found.statuses, found.notes, found.bounded) == ({}, (), (), frozenset())


@pytest.mark.parametrize("scope", FEEDS)
def test_a_missing_scope_is_named(scope: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Its feeds are left out, and the others are read."""
    sandbox.bigcommerce.set(scopes=tuple(one for one in GRANTED if one != scope))
    found = session(sandbox, tmp_path).preflight()
    assert found.unreachable == dict.fromkeys(FEEDS[scope], f"scope_missing:{scope}")
    (note,) = found.notes
    assert scope in note and all(feed in note for feed in FEEDS[scope])


def test_without_any_scope_the_run_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.bigcommerce.set(scopes=())
    with pytest.raises(SourceRefused, match=r"403.*store_v2_orders_read_only"):
        session(sandbox, tmp_path, ["orders", "order_products"]).preflight()


def test_what_a_store_does_not_offer_is_null_with_the_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.bigcommerce.set(includes=False)
    found = session(sandbox, tmp_path, ["customers"]).preflight()
    assert {status.column: status.reason for status in found.statuses} == {
        "segment_ids": "not_offered:segment_ids",
        "shopper_profile_id": "not_offered:shopper_profile_id",
    }


def test_a_wrong_credential_is_told_without_it(sandbox: Sandbox, tmp_path: Path) -> None:
    given = sandbox.credential("bigcommerce")
    for key, wrong, kind in (
        ("access_token", "nearly-right", SourceRefused),
        ("store_hash", "a/b", ConfigurationError),
    ):
        with pytest.raises(kind) as told:
            connector.open(courier(sandbox), {**given, key: wrong}, tmp_path, lambda progress: None).preflight()
        assert wrong not in f"{told.value.message} {told.value.fix}"


def test_since_bounds_orders_and_then_absence_proves_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    of = replace(courier(sandbox), since=sandbox.shop.now())
    found = connector.open(of, sandbox.credential("bigcommerce"), tmp_path, lambda progress: None).preflight()
    assert found.bounded == {"Order", "Refund"}


def test_the_quota_is_kept_to_and_shared(sandbox: Sandbox, tmp_path: Path) -> None:
    """Two readers in one window of eight requests: they wait by its headers, and nobody is ever told 429."""
    sandbox.bigcommerce.set(quota=8)
    for number, feed in enumerate(("customer_attributes", "customer_attribute_values", "channels", "order_refunds")):
        root = {"customer_attributes": "CustomerAttribute", "channels": "Channel", "order_refunds": "Refund"}
        pull(sandbox, tmp_path, root.get(feed, "CustomerAttributeValue"), feed)
        assert (tmp_path / "budgets" / f"bigcommerce-{sandbox.bigcommerce.hash}.json").stat().st_mode & 0o77 == 0, (
            number
        )
    assert len(sandbox.bigcommerce.log) > 16
    assert {entry["status"] for entry in sandbox.bigcommerce.log} == {200}


@pytest.mark.parametrize("fault", [{"kind": "throttled", "times": 3}, {"kind": "status", "status": 429, "times": 3}])
def test_a_429_is_waited_for(fault: dict[str, object], sandbox: Sandbox, tmp_path: Path) -> None:
    """With headers until the window ends; without, which is the platform's load, longer each time."""
    sandbox.faults.add(fault)
    sandbox.bigcommerce.set(quota=20, others=6)
    pulled = pull(sandbox, tmp_path, "Order", "orders")
    assert len(pulled.ids("Order")) == 600
    assert [entry["status"] for entry in sandbox.bigcommerce.log].count(429) >= 3


def test_readers_at_once_share_one_window(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.bigcommerce.set(quota=100)
    readers = [
        threading.Thread(target=pull, args=(sandbox, tmp_path / str(number), "Order", "orders")) for number in range(3)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert [entry["status"] for entry in sandbox.bigcommerce.log].count(200) == 15
