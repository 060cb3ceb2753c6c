"""The made-up history: the same for the same seed, and as unpleasant as the schema allows."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from courier.sandbox.history.generate import generate
from courier.sandbox.history.options import Options
from courier.sandbox.history.rows import History
from tests.sandbox.conftest import SMALL

ANCHOR = 1_795_000_000


@pytest.fixture(scope="module")
def history() -> History:
    return generate(Options(orders=600), ANCHOR)


def test_the_same_seed_gives_the_same_history() -> None:
    """Law: options and anchor decide everything; another seed decides otherwise."""
    assert generate(SMALL, ANCHOR) == generate(SMALL, ANCHOR)
    assert generate(SMALL, ANCHOR) != generate(replace(SMALL, seed=1), ANCHOR)


def test_nothing_happens_after_the_anchor(history: History) -> None:
    """Law: created <= updated < anchor, and an order is never older than its customer's account."""
    for family in history.orders.values():
        order = family.order
        assert order.created_at <= order.updated_at < ANCHOR
        assert all(refund.updated_at <= order.updated_at for refund in family.refunds)
        if order.customer_id is not None:
            assert history.customers[order.customer_id].customer.created_at <= order.created_at
    for product in history.products.values():
        assert all(i.updated_at <= product.product.updated_at for i in product.variants)


def test_ids_are_never_used_twice(history: History) -> None:
    """Law: an id names one record."""
    orders = history.orders.values()
    for ids in (
        [line.id for family in orders for line in family.lines],
        [refund.id for family in orders for refund in family.refunds],
        [line.id for family in orders for line in family.refund_lines],
        [line.id for family in orders for line in family.shipping_lines],
        [address.id for family in history.customers.values() for address in family.addresses],
        [variant.id for variant in history.variants()],
    ):
        assert len(ids) == len(set(ids))


def test_the_rare_cases_are_there(history: History) -> None:
    """Orders of 0 and 300 lines, over 50 refund lines, 130 variants, over 10 addresses, guests, gone products."""
    orders = list(history.orders.values())
    assert {0, 300} <= {len(family.lines) for family in orders}
    assert max(len(family.refund_lines) for family in orders) > 50
    assert max(len(family.refunds) for family in orders) > 1
    assert max(len(family.variants) for family in history.products.values()) == 130
    assert max(len(family.addresses) for family in history.customers.values()) > 10
    lines = [line for family in orders for line in family.lines]
    assert any(line.product_id is None for line in lines) and any(line.gift_card for line in lines)
    assert any(family.order.customer_id is None for family in orders)
    assert any(family.order.test for family in orders) and any(family.order.outstanding < 0 for family in orders)
    assert len({family.order.presentment_currency for family in orders}) > 2
    assert any(len(family.order.discount_codes) > 1 for family in orders)


def test_every_nullable_field_is_null_somewhere(history: History) -> None:
    """Law: what may be missing is missing at least once."""
    by_kind: dict[str, list[Any]] = {
        "order": [family.order for family in history.orders.values()],
        "line": [line for family in history.orders.values() for line in family.lines],
        "customer": [family.customer for family in history.customers.values()],
        "product": [family.product for family in history.products.values()],
        "variant": list(history.variants()),
        "refund line": [line for family in history.orders.values() for line in family.refund_lines],
    }
    for kind, rows in by_kind.items():
        optional = [field.name for field in fields(rows[0]) if "None" in str(field.type)]
        assert optional
        for name in optional:
            values = {getattr(row, name) is None for row in rows}
            assert values == {True, False}, f"{kind}.{name}"


def test_many_records_share_one_second(history: History) -> None:
    """Customers and products of one bulk edit have the same updated_at."""
    for seconds in (
        [family.customer.updated_at for family in history.customers.values()],
        [family.product.updated_at for family in history.products.values()],
    ):
        assert len(seconds) > len(set(seconds))


def test_nobody_is_real(history: History) -> None:
    """Law: every e-mail address is at example.com, every phone number fictitious."""
    for family in history.customers.values():
        assert family.customer.email is None or family.customer.email.endswith("@example.com")
        assert family.customer.phone is None or family.customer.phone.startswith("+1555")
