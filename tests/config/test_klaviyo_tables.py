from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from courier.config.load import load_project
from courier.config.project import Courier, DomainTable
from tests.config.projects import REPOSITORY

FIXTURE = Path(__file__).parent / "klaviyo_columns.csv"
# When a snapshot was taken is in `_fetched_at`, as in every table: a column of its own would change with each run.
ELSEWHERE = ("segment_profiles", "_snapshot_at")


@pytest.fixture(scope="module")
def shipped() -> Courier:
    loaded = load_project(REPOSITORY)
    assert loaded.project is not None
    return loaded.project.couriers["klaviyo"]


@pytest.fixture(scope="module")
def tables(shipped: Courier) -> dict[str, DomainTable]:
    return {feed.name: feed.table for feed in shipped.feeds}


def test_the_22_tables_have_exactly_their_columns(tables: dict[str, DomainTable]) -> None:
    """290 columns with type and tags, and the key that the list marks."""
    with FIXTURE.open(encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if (row["table"], row["column"]) != ELSEWHERE]
    expected = {(row["table"], row["column"]): (row["type"], row["tags"].split()) for row in listed}
    found = {
        (table.name, column.name): (str(column.type), list(column.tags))
        for table in tables.values()
        for column in table.columns
    }
    assert (len(tables), len(found)) == (22, 290)
    assert found == expected
    for name, table in tables.items():
        marked = {row["column"] for row in listed if row["table"] == name and row["primary_key"] == "1"}
        assert {*table.primary_key} == marked


def test_personal_data_is_marked(tables: dict[str, DomainTable]) -> None:
    """What a person is called, or can be reached or found by, and free text about one."""
    marked = {f"{table.name}.{column.name}" for table in tables.values() for column in table.columns if column.pii}
    assert {
        "profiles.email", "profiles.phone_number", "profiles.first_name", "profiles.last_name", "profiles.image",
        "profiles.location__address1", "profiles.location__zip", "profiles.location__ip",
        "profiles.location__latitude", "profiles.properties", "events.event_properties",
    } <= marked  # fmt: skip
    assert not any(name.startswith(("flows.", "campaigns.", "segments.", "catalog_items.")) for name in marked)


def test_what_klaviyo_makes_anew_once_a_day_is_read_once_a_day(shipped: Courier) -> None:
    daily = {feed.name for feed in shipped.feeds if feed.every == timedelta(hours=24)}
    assert {"profiles", "segments", "segment_profiles", "flows", "catalog_items", "catalog_variants"} <= daily
    assert not {"events", "order_items", "campaigns", "campaign_messages"} & daily
