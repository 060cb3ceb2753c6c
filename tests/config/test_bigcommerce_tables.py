from __future__ import annotations

import csv
from pathlib import Path

import pytest

from courier.config.load import load_project
from courier.config.project import DomainTable
from tests.config.projects import REPOSITORY

FIXTURE = Path(__file__).parent / "bigcommerce_columns.csv"
# The API gives form fields no id, so that theirs is made: the key, beside the columns that the list has.
MADE = ("customer_form_field_values", "id")


@pytest.fixture(scope="module")
def tables() -> dict[str, DomainTable]:
    loaded = load_project(REPOSITORY)
    assert loaded.project is not None
    return {feed.name: feed.table for feed in loaded.project.couriers["bigcommerce"].feeds}


def test_the_sixteen_tables_have_exactly_their_columns(tables: dict[str, DomainTable]) -> None:
    """230 columns with type and tags, and the key that the list marks."""
    with FIXTURE.open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    expected = {(row["table"], row["column"]): (row["type"], row["tags"].split()) for row in listed}
    found = {
        (table.name, column.name): (str(column.type), list(column.tags))
        for table in tables.values()
        for column in table.columns
        if (table.name, column.name) != MADE
    }
    assert (len(tables), len(found)) == (16, 230)
    assert found == expected
    for name, table in tables.items():
        marked = {row["column"] for row in listed if row["table"] == name and row["primary_key"] == "1"}
        assert {*table.primary_key} == ({MADE[1]} if name == MADE[0] else marked)


def test_personal_data_is_marked(tables: dict[str, DomainTable]) -> None:
    """What a person is called, or can be reached by, and free text about one."""
    marked = {f"{table.name}.{column.name}" for table in tables.values() for column in table.columns if column.pii}
    assert {
        "customers.email", "customers.notes", "customers.registration_ip_address", "customer_addresses.form_fields",
        "customer_form_field_values.value", "customer_attribute_values.attribute_value", "orders.ip_address",
        "orders.ip_address_v6", "orders.staff_notes", "orders.customer_message", "orders.billing_address__email",
        "product_reviews.name", "product_reviews.email",
    } <= marked  # fmt: skip
    assert not any(name.startswith(("store.", "channels.", "products.", "order_products.")) for name in marked)
