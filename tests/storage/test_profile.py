"""How good tagged columns are, and what is wrong with order items: counted, by rules that each can fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from courier.storage.duck import connect, text
from courier.storage.inspect import open_published
from courier.storage.profile import ColumnProfile, email_sql, phone_sql, profiles, tagged_columns
from courier.storage.transactions import checks, findings, usable
from courier.storage.warehouse import publish
from tests.storage.loads import ORDER, SCHEMA, Shop
from tests.storage.tagged import load, tagged

if TYPE_CHECKING:
    from courier.storage.duck import Connection

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with connect(threads=1) as made:
        yield made


@pytest.mark.parametrize(
    ("rule", "value", "valid"),
    [
        (email_sql, "ada@example.com", True),
        (email_sql, "Ada.L+news@mail.example.co.uk", True),
        (email_sql, "ада@пример.рф", True),
        (email_sql, "ada@xn--e1afmkfd.xn--p1ai", True),
        (email_sql, "ada", False),
        (email_sql, "ada@example", False),
        (email_sql, "ada @example.com", False),
        (email_sql, "ada@example.com ", False),
        (email_sql, "ada@@example.com", False),
        (email_sql, "ada@-example.com", False),
        (email_sql, "@example.com", False),
        (phone_sql, "+1 (212) 555-0100", True),
        (phone_sql, "212.555.0100", True),
        (phone_sql, "+4930123456", True),
        (phone_sql, "555-0100", False),
        (phone_sql, "2125550100 ext. 7", False),
        (phone_sql, "1234567890123456", False),
    ],
)
def test_forms(connection: Connection, rule: Any, value: str, valid: bool) -> None:
    assert connection.execute(f"SELECT {rule(text(value))}").fetchone() == (valid,)


def test_columns_are_counted_and_never_shown(tmp_path: Path) -> None:
    """Blank is not filled; the same twice is not unique; what the view cannot cast is told where it was lost."""
    shop = Shop(tmp_path)
    emails = ["a@b.co", "a@b.co", "nobody", " ", None]
    rows = [{"id": n, "email": one, "labels": ["x"], "updated_at": "2026-01-01"} for n, one in enumerate(emails)]
    wanted = tagged(ORDER, id="ck", labels="txn-item/item-quantity")
    load(shop, shop.rows_load(wanted, rows))
    publish(shop.files)
    with open_published(shop.files.published) as connection:
        found = {f"{one.table}.{one.column}": one for one in profiles(connection, lambda _: True)}
        named = [one.column for one in profiles(connection, lambda tag: tag == "ck", f"{SCHEMA}.order")]
        (email,) = tagged_columns(connection, lambda tag: tag == "email")
    assert named == ["id"]
    assert (email.table, email.column, email.type, email.pii) == (f"{SCHEMA}.order", "email", "string", True)
    for one in (found[f"{SCHEMA}.order.email"], found["semantic.customer.email"]):
        assert (one.rows, one.filled, one.distinct, one.invalid, one.unfit) == (5, 3, 2, 1, 0)
    labels = found[f"{SCHEMA}.order.labels"]
    assert (labels.filled, labels.distinct, labels.invalid, labels.unfit) == (5, 1, None, 5)
    assert found["semantic.order_item.item_quantity"].filled == 0


TYPES = {
    **dict.fromkeys(("source", "source_table", "source_key", "order_id", "product_id", "store_id"), "VARCHAR"),
    **dict.fromkeys(("customer_id", "currency"), "VARCHAR"),
    "order_datetime": "TIMESTAMPTZ",
    "item_quantity": "BIGINT",
    **dict.fromkeys(("item_list_price", "item_discount_amount", "item_revenue"), "DECIMAL(19,4)"),
    **dict.fromkeys(("unit_list_price", "unit_discount_amount", "unit_subtotal"), "DECIMAL(19,4)"),
    "item_discount_percent": "DECIMAL(19,4)",
    **dict.fromkeys(("is_return", "is_cancellation"), "BOOLEAN"),
}
BOUGHT: dict[str, Any] = {
    "source": "a",
    "source_table": "t",
    "source_key": "1",
    "order_id": "o1",
    "product_id": "p1",
    "store_id": "web",
    "customer_id": "c1",
    "currency": "EUR",
    "order_datetime": NOW,
    "is_return": False,
    "is_cancellation": None,
    "item_quantity": 2,
    "item_list_price": 20,
    "item_discount_amount": 5,
    "item_revenue": 15,
    "unit_list_price": 10,
    "unit_discount_amount": 2.5,
    "unit_subtotal": 7.5,
    "item_discount_percent": 0.25,
}
NEGATED = {name: -value for name, value in BOUGHT.items() if name.startswith(("item_", "unit_"))}
RETURNED = {**BOUGHT, **NEGATED, "item_discount_percent": 0.25, "is_return": True}
BROKEN: dict[str, dict[str, Any]] = {
    **{f"{name} missing": {name: " "} for name in ("order_id", "product_id", "store_id")},
    **{f"{name} missing": {name: None} for name in ("order_datetime", "item_quantity", "item_revenue")},
    "customer missing": {"customer_id": None},
    "product more than once in an order": {"source_key": "9"},
    "order of several customers": {"customer_id": "c2", "product_id": "p2"},
    "order_id in several sources": {"source": "b"},
    "item_quantity below zero in a purchase": {"item_quantity": -2},
    "item_quantity above zero in a return or cancellation": {"is_return": True},
    "item_revenue below zero in a purchase": {"item_revenue": -15},
    "item_revenue above zero in a return or cancellation": {"is_cancellation": True},
    "another amount with the wrong sign": {"item_list_price": -20},
    "item_revenue is not item_list_price - item_discount_amount": {"item_revenue": 14},
    "unit_list_price is not unit_discount_amount + unit_subtotal": {"unit_subtotal": 7},
    "item_discount_amount is not item_quantity * unit_discount_amount": {"item_quantity": 3},
    "item_discount_percent outside of 0 to 1": {"item_discount_percent": 25},
    "item_discount_percent is not item_discount_amount / item_list_price": {"item_discount_percent": 0.5},
    "date in the future": {"order_datetime": NOW + timedelta(seconds=1)},
    "returned and canceled at once": {"is_return": True, "is_cancellation": True},
    "several currencies in one source": {"currency": "USD"},
    "currency is no ISO 4217 code": {"currency": "eur"},
}


def items(connection: Connection, *rows: dict[str, Any]) -> dict[str, int]:
    """What each check finds in these order items, and that its own query lists as many."""
    listed = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    connection.execute("CREATE SCHEMA IF NOT EXISTS semantic")
    connection.execute(f"CREATE OR REPLACE TABLE semantic.order_item ({listed})")
    for row in rows:
        places = ", ".join("?" for _ in TYPES)
        connection.execute(f"INSERT INTO semantic.order_item VALUES ({places})", [row[name] for name in TYPES])
    failing: dict[str, int] = {}
    for one in findings(connection, NOW):
        assert not one.needs
        failing[one.check] = failing.get(one.check, 0) + one.failing
        if one.source == rows[0]["source"]:
            assert len(connection.execute(one.query).fetchall()) >= one.failing
    return failing


def test_every_check_has_a_row_that_fails_it(connection: Connection) -> None:
    """A purchase and its return pass all of them; each change of one value fails the check that is about it."""
    clean = items(connection, BOUGHT, RETURNED)
    assert clean == dict.fromkeys(BROKEN, 0)
    for check, change in BROKEN.items():
        assert items(connection, BOUGHT, {**BOUGHT, **change})[check] > 0, check


def test_a_check_says_which_column_it_lacks() -> None:
    """Also where a project gave a tag another type than the check can count with."""
    there = usable({"source": "VARCHAR", "order_id": "BIGINT", "item_quantity": "VARCHAR", "is_return": "VARCHAR"})
    assert there == {"source", "order_id"}
    lacking = {one.name: set(one.needs) - there for one in checks(there, NOW)}
    assert lacking.keys() == BROKEN.keys()
    assert lacking["item_quantity missing"] == {"item_quantity"}
    assert not lacking["order_id missing"]


def test_tags_suit_a_column_that_most_of_its_values_do_not_contradict() -> None:
    """A tag on the wrong column is contradicted by nearly all of it; a customer's slip of the pen by one value."""
    found = ColumnProfile("shopify.customer", "email", ("email",), rows=12, filled=10, distinct=9, invalid=5, unfit=0)
    assert found.suits and replace(found, invalid=None).suits and replace(found, filled=0, invalid=0).suits
    assert not replace(found, invalid=6).suits and not replace(found, unfit=1).suits
