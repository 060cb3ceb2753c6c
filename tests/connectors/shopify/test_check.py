from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from courier.config.paths import parse_rows, parse_source
from courier.config.project import Courier, DomainTable, Feed, Mode
from courier.connectors.shopify import connector
from tests.connectors.shopify.shipped import courier, project, with_column


def changed(name: str, change: Callable[[DomainTable], DomainTable]) -> Courier:
    feeds = [replace(feed, table=change(feed.table)) if feed.name == name else feed for feed in courier().feeds]
    return replace(courier(), feeds=tuple(feeds))


def messages(given: Courier) -> list[str]:
    return [
        f"{problem.path} [{problem.rule}] {problem.message} {problem.fix}"
        for problem in connector.check(project(), given)
    ]


def test_the_shipped_project_has_no_problem() -> None:
    assert connector.check(project(), courier()) == []


@pytest.mark.parametrize(
    ("feed", "path", "expected"),
    [
        ("order", "computed.total_line_item_price", "Did you mean `total_line_items_price`?"),
        ("order", "computed.discount_code_amount", "belongs to rows of `Order.discountCodes[]`, not of `Order`"),
        ("order", "lineItems[0].title", "Make a domain table with `rows: Order.lineItems[]`."),
        ("order", "customer", "`customer` is an object of the type Customer, not a value"),
        ("order_line", "product", "`product` is an object of the type Product"),
    ],
)
def test_a_path_that_can_hold_no_value_is_a_problem(feed: str, path: str, expected: str) -> None:
    found = messages(changed(feed, lambda table: with_column(table, "extra", path)))
    assert len(found) == 1
    assert expected in found[0] and f"domain_tables/shopify/{feed}.yaml" in found[0]


def test_an_unknown_record_type_is_a_problem() -> None:
    found = messages(changed("order", lambda table: replace(table, rows=parse_rows("Orders"))))
    assert "unknown-rows" in found[0] and "Did you mean `Order`?" in found[0]


def test_a_version_is_a_quarter() -> None:
    assert "2026-10" in messages(replace(courier(), api_version="2026-11"))[0]
    assert messages(replace(courier(), api_version="unstable")) == []


def test_what_the_connector_has_never_heard_of_is_no_problem() -> None:
    assert parse_source("poNumber", parse_rows("Order")).steps
    assert messages(changed("order", lambda table: with_column(table, "po", "poNumber"))) == []


def with_modes(**modes: Mode) -> Courier:
    feeds = [replace(feed, mode=modes.get(feed.name, "auto")) for feed in courier().feeds]
    return replace(courier(), feeds=tuple(feeds))


def test_bulk_where_it_cannot_be_had_is_a_problem() -> None:
    """Only where it is asked for: `auto` reads such a feed by pages."""
    every: dict[str, Mode] = {feed.name: "bulk" for feed in courier().feeds if feed.name != "locations"}
    assert messages(with_modes(**every)) == []
    (found,) = messages(with_modes(locations="bulk", order="bulk", product="pages"))
    assert "couriers/shopify.yaml [mode] `locations` cannot be had in bulk: locations cannot be searched" in found


def test_bulk_feeds_of_one_record_type_must_go_together() -> None:
    """The one that makes it too many is told, and those after it that would go are not."""
    rows = ("lineItems", "shippingLines", "metafields", "agreements", "events", "tags")
    tables = [replace(project().folders["shopify"]["order_tags"], rows=parse_rows(f"Order.{name}[]")) for name in rows]
    feeds = [Feed(table.rows.lists[0][0], replace(table, parent="order", columns=()), mode="bulk") for table in tables]
    (found,) = messages(replace(courier(), feeds=(courier().feed("order"), *feeds)))
    assert "`events` cannot be had in bulk: it takes more than 5 connections" in found
