"""The search language, by field, operator and word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.sandbox.shopify.search import Field, Manner, parse_query
from courier.sandbox.shopify.values import instant
from tests.sandbox import documents
from tests.sandbox.client import Client

FIELDS = {
    "at": Field("time", lambda row: row["at"]),
    "day": Field("day", lambda row: row["at"]),
    "id": Field("number", lambda row: row["id"]),
    "name": Field("text", lambda row: row["name"]),
    "tag": Field("tags", lambda row: row["tags"]),
}
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
ROW: dict[str, Any] = {"at": NOON, "id": 42, "name": "Fox's Den", "tags": ("VIP Gold", "new")}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("at:>='2026-11-20T12:00:00Z'", True),
        ("at:>'2026-11-20T12:00:00Z'", False),
        ("at:<'2026-11-20T12:00:00Z'", False),
        ("at:<='2026-11-20T12:00:00Z'", True),
        ("at:>='2026-11-20T13:00:00+01:00' AND at:<'2026-11-20 12:00:01'", True),
        ("day:>='2026-11-20T23:00:00Z'", True),
        ("day:<'2026-11-20T23:00:00Z'", False),
        ("id:42", True),
        ("id:>41 id:<43", True),
        ("-id:42", False),
        ("NOT id:41", True),
        ("id:1 OR id:42", True),
        ("(id:1 OR id:42) AND tag:new", True),
        ("id:42 AND (id:1 OR tag:old)", False),
        ("tag:'vip gold'", True),
        ("tag:vip*", True),
        ('name:"fox\'s den"', True),
        ("name:fox*", True),
        ("den", True),
        ("burrow", False),
        ("unknown:5 AND id:42", True),
        ("at:soon", True),
    ],
)
def test_a_query_finds(query: str, found: bool) -> None:
    """Field by field, operator by operator; what cannot be understood is left out."""
    assert parse_query(query, FIELDS).accepts(ROW) is found


@given(low=st.integers(-5, 5), high=st.integers(-5, 5), at=st.integers(-5, 5))
def test_half_open_periods_tile(low: int, high: int, at: int) -> None:
    """Law: >= low AND < high holds exactly inside [low, high)."""
    query = f"at:>='{instant(NOON + low)}' AND at:<'{instant(NOON + high)}'"
    assert parse_query(query, FIELDS).accepts({**ROW, "at": NOON + at}) is (low <= at < high)


def test_after_means_something_else_before_2026_10() -> None:
    """`>T` still found the same second, until 2026-10 excluded it."""
    query = f"at:>'{instant(NOON)}'"
    assert parse_query(query, FIELDS, Manner(exclusive_after=False)).accepts(ROW)
    assert not parse_query(query, FIELDS, Manner(exclusive_after=True)).accepts(ROW)


def test_an_unknown_field_is_ignored_with_a_warning(reading: Client) -> None:
    """The result is wider than asked for, and only extensions.search says so."""
    found = reading.answer(documents.IDS, first=3, query="colour:red")
    assert len(found["data"]["orders"]["nodes"]) == 3
    assert found["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_field"


def test_counts_agree_with_pages(reading: Client) -> None:
    """Law: a count counts what pages of the same query hold; a limit makes it AT_LEAST."""
    query = "updated_at:>='2026-01-01T00:00:00Z' AND test:false"
    pages = reading.every(documents.IDS, "orders", first=50, query=query)
    counted = reading.data(documents.COUNTS, orders=query)
    assert counted["ordersCount"] == {"count": len(pages), "precision": "EXACT"}
    assert reading.data("{ ordersCount(limit: 3) { count precision } }")["ordersCount"] == {
        "count": 3,
        "precision": "AT_LEAST",
    }


def test_customers_are_found_by_whole_days(reading: Client) -> None:
    """A lower bound in the evening still finds the customers of that morning."""
    customers = reading.every(documents.CUSTOMERS, "customers", first=250)
    day = customers[10]["updatedAt"][:10]
    found = reading.every(documents.CUSTOMERS, "customers", first=250, query=f"updated_at:>='{day}T23:59:59Z'")
    assert {i["id"] for i in customers if i["updatedAt"][:10] >= day} == {i["id"] for i in found}


def test_whole_days_can_be_turned_off() -> None:
    """Nobody has probed whether Shopify still compares by days: a server may compare exactly."""
    query = "day:>='2026-11-20T23:00:00Z'"
    assert parse_query(query, FIELDS).accepts(ROW)
    assert not parse_query(query, FIELDS, Manner(whole_days=False)).accepts(ROW)


def test_destroyed_products_are_found(reading: Client) -> None:
    """The events of deletions, by action, subject and time, not older than a year."""
    query = "action:destroy AND subject_type:PRODUCT"
    found = reading.every(documents.EVENTS, "events", first=250, query=query)
    assert found and {node["action"] for node in found} == {"destroy"}
    assert all(node["subjectId"].startswith("gid://shopify/Product/") for node in found)
    late = f"{query} AND created_at:>='{found[-1]['createdAt']}'"
    assert reading.every(documents.EVENTS, "events", first=250, query=late) == found[-1:]
