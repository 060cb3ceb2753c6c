from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from courier.config.load import load_project
from courier.config.project import Column, DomainTable, Project
from courier.config.secrets import ENV_FILE
from courier.config.vocabulary import vocabulary
from tests.config.projects import REPOSITORY

FIXTURE = Path(__file__).parent / "shopify_columns.csv"
Parameter = str | list[str] | None


@pytest.fixture(scope="module")
def project() -> Project:
    loaded = load_project(REPOSITORY)
    assert not loaded.problems
    assert loaded.project is not None
    return loaded.project


@pytest.fixture(scope="module")
def tables(project: Project) -> dict[str, DomainTable]:
    return {feed.name: feed.table for feed in project.couriers["shopify"].feeds}


def test_the_thirteen_tables_have_exactly_their_columns(tables: dict[str, DomainTable]) -> None:
    """177 columns with type, tags and place in the key."""
    with FIXTURE.open(encoding="utf-8") as file:
        expected = {(row["table"], row["column"]): row for row in csv.DictReader(file)}
    found = {(table.name, column.name): _row(table, column) for table in tables.values() for column in table.columns}
    assert len(found) == 177
    assert found == expected


def _row(table: DomainTable, column: Column) -> dict[str, str]:
    return {
        "table": table.name,
        "column": column.name,
        "type": str(column.type),
        "tags": " ".join(column.tags),
        "primary_key": "yes" if column.name in table.primary_key else "",
    }


def test_personal_data_is_marked(tables: dict[str, DomainTable]) -> None:
    marked = {(table.name, column.name) for table in tables.values() for column in table.columns if column.pii}
    assert marked == {
        *(("customer", name) for name in ("email", "first_name", "last_name", "multipass_identifier", "note", "phone")),
        *(("customer_address", name) for name in ("address1", "address2", "city", "first_name", "last_name")),
        *(("customer_address", name) for name in ("phone", "zip")),
        *(("locations", name) for name in ("address1", "address2")),
        *(("order", name) for name in ("browser_ip", "cart_token", "checkout_token", "email", "landing_site")),
        *(("order", name) for name in ("note", "phone", "referring_site", "source_url", "token")),
    }


def test_what_the_api_cannot_give_is_said(tables: dict[str, DomainTable]) -> None:
    never = {(table.name, column.name) for table in tables.values() for column in table.columns if column.unavailable}
    assert never == {
        ("order", "processing_method"),
        ("product", "published_scope"),
        ("product_variant", "fulfillment_service"),
    }


GID = "gid://shopify/Thing/123"
CASES: Sequence[tuple[str, str, list[Parameter], str | None]] = [
    ("customer", "currency", ["EUR", "USD"], "EUR"),
    ("customer", "currency", [None, "USD"], "USD"),
    ("customer", "state", ["DISABLED"], "disabled"),
    ("customer", "tags", [["b", "a, c"]], "b, a, c"),
    ("customer", "tags", [[]], ""),
    ("customer_address", "id", [f"{GID}?model_name=CustomerAddress"], "123"),
    ("customer_address", "default", [f"{GID}?model_name=CustomerAddress", GID], "true"),
    ("customer_address", "default", [GID, f"{GID}4"], "false"),
    ("customer_address", "default", [GID, None], "false"),
    ("discount_allocation", "order_line_id", [GID], "123"),
    ("order", "app_id", [GID], "123"),
    ("order", "app_id", [None], None),
    ("order", "cancel_reason", ["FRAUD"], "fraud"),
    ("order", "financial_status", ["PARTIALLY_PAID"], "partially_paid"),
    ("order", "fulfillment_status", ["FULFILLED"], "fulfilled"),
    ("order", "fulfillment_status", ["PARTIALLY_FULFILLED"], "partial"),
    ("order", "fulfillment_status", ["RESTOCKED"], "restocked"),
    ("order", "fulfillment_status", ["ON_HOLD"], None),
    ("order", "tags", [["vip"]], "vip"),
    ("order", "token", ["https://shop.example/1/orders/abc12/authenticate?key=k"], "abc12"),
    ("order", "token", ["https://shop.example/status"], None),
    ("order", "user_id", [GID], "123"),
    ("order_line", "id", [GID], "123"),
    ("order_line", "fulfillment_status", ["unfulfilled"], None),
    ("order_line", "fulfillment_status", ["PARTIAL"], "partial"),
    ("order_line", "grams", ["1.5", "KILOGRAMS"], "1500"),
    ("order_line", "grams", ["2.4", "GRAMS"], "2"),
    ("order_line", "grams", ["1.0", "POUNDS"], "454"),
    ("order_line", "grams", ["1", "OUNCES"], "28"),
    ("order_line", "grams", [None, None], None),
    ("order_line", "grams", ["1", "STONES"], None),
    ("order_line_refund", "id", [GID, "5", "gid://shopify/LineItem/8", "RETURN"], "123"),
    ("order_line_refund", "id", [None, "5", "gid://shopify/LineItem/8", "RETURN"], "848710333487366205"),
    ("order_line_refund", "line_item_id", [GID], "123"),
    ("order_line_refund", "restock_type", ["NO_RESTOCK"], "no_restock"),
    ("product", "status", ["UNLISTED"], "unlisted"),
    ("product", "tags", [["a", "b"]], "a, b"),
    ("product_variant", "grams", ["0.25", "KILOGRAMS"], "250"),
    ("product_variant", "inventory_management", ["true"], "shopify"),
    ("product_variant", "inventory_management", ["false"], None),
    ("product_variant", "inventory_policy", ["DENY"], "deny"),
    ("product_variant", "weight_unit", ["OUNCES"], "oz"),
]


@pytest.mark.parametrize(("table", "column", "parameters", "expected"), CASES)
def test_sql_makes_of_text_what_the_column_means(
    tables: dict[str, DomainTable], table: str, column: str, parameters: list[Parameter], expected: str | None
) -> None:
    """Every value arrives as text; what comes out, as text again, is what the column's type can take."""
    sql = tables[table].column(column).sql
    assert sql is not None
    assert len(tables[table].column(column).sources) == len(parameters)
    (value,) = duckdb.execute(f"SELECT ({sql})::varchar", parameters).fetchone() or (None,)
    assert value == expected


def test_every_sql_is_tried_above(tables: dict[str, DomainTable]) -> None:
    written = {(table.name, column.name) for table in tables.values() for column in table.columns if column.sql}
    assert written == {(table, column) for table, column, _, _ in CASES}


def test_the_vocabulary_covers_every_group_of_tags(project: Project) -> None:
    """Strict are only phone, postal, birthdate and the two opt-ins."""
    strict = {tag.name: str(tag.type) for tag in project.tags if tag.strict}
    assert strict == {
        "phone": "string",
        "phone-*": "string",
        "postal": "string",
        "birthdate": "date",
        "email-opt/is-email-opted-in": "boolean",
        "sms-opt/is-sms-opted-in": "boolean",
    }
    known = vocabulary(project.tags)
    for written in ("fk-loyalty-id", "sk-birthdate", "bk-mine", "email-work", "email-2", "txn-item/product-brand"):
        assert known.find(written), written
    assert known.find("email-event/brnd") is None
    assert {tag.name.split("/")[0] for tag in project.tags if "/" in tag.name} == {
        *("txn-item", "pc", "email-event", "email-summary", "email-opt", "sms-opt", "loy", "loy-event"),
        *("fiscal", "compliance", "db", "blv", "sl", "txn"),
    }


def test_the_env_example_names_the_credential(project: Project) -> None:
    """Every variable that a shipped courier needs is in .env.example, without a value."""
    lines = (REPOSITORY / f"{ENV_FILE}.example").read_text(encoding="utf-8").split("\n")
    for value in (one for courier in project.couriers.values() for one in courier.credential.values()):
        assert f"{getattr(value, 'name', value)}=" in lines
