"""The `sql` of the shipped domain tables, over what the API may write."""

from __future__ import annotations

import pytest

from courier.storage.duck import connect
from tests.connectors.shopify.shipped import project


def value(table: str, column: str, *sources: str | None) -> object:
    """What a shipped column's `sql` makes of its sources."""
    tables = {feed.name: feed.table for feed in project().couriers["shopify"].feeds}
    sql = tables[table].column(column).sql
    assert sql
    found = connect().execute(f"SELECT {sql}", list(sources)).fetchone()
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("https://acme.myshopify.com/123/orders/abc/authenticate?key=k", "abc"),
        ("https://shopify.com/123/account/orders/abc?locale=en", "abc"),
        ("https://a.example/orders/abc#x", "abc"),
        ("/orders/abc", "abc"),
        ("https://a.example/1/orders/abc?next=/orders/k", "abc"),
        ("https://a.example/status?next=/orders/k", None),
        ("https://a.example/status#/orders/k", None),
        ("https://a.example/orders/", None),
        ("https://a.example/orders?key=k", None),
        ("", None),
    ],
)
def test_of_the_status_page_only_a_part_of_its_path_is_kept(url: str, token: str | None) -> None:
    """Behind the path stands the key that opens the page."""
    assert value("order", "token", url) == token
