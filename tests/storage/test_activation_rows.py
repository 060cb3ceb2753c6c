"""The rows of the shipped activations, over a loaded sandbox shop, beside figures that are reckoned without SQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from courier import sandbox
from courier.config.activation import Activation, Chat
from courier.config.load import load_project
from courier.config.project import Project
from courier.errors import ConfigurationError, UsageError
from courier.sandbox.history.options import Options
from courier.sandbox.shopify.truth import truth_tables
from courier.storage.activation_rows import Rows, read_rows
from courier.storage.ledger import watermarks
from tests.runs.tried import Tried, make, run_inside

SHOP = Options(seed=3, customers=150, orders=380, products=8, special=False)
READ = ("customer", "order", "order_line", "product", "customer_metafield")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    # No process is started here, and what starts them quickly takes a second to make.
    tried = make(tmp_path_factory.mktemp("activations") / "project", None, SHOP)
    tried.edit("couriers/shopify.yaml", "  # customer_metafield: { namespaces: [custom] }", "  customer_metafield: #")
    with sandbox.serve(sandbox.open_shop(tried.place.state)) as served:
        result = run_inside(tried, served)
    assert result.result == "succeeded", result.problem
    return tried


@pytest.fixture(scope="module")
def truth(loaded: Tried) -> dict[str, list[dict[str, Any]]]:
    return truth_tables(sandbox.open_shop(loaded.place.state), READ)


def project_of(tried: Tried) -> Project:
    project = load_project(tried.root).project
    assert project is not None
    return project


def rows_of(tried: Tried, name: str, **changed: Any) -> Rows:
    project = project_of(tried)
    return read_rows(project, replace(project.activations[name], **changed), tried.place.files)


def records(found: Rows) -> list[dict[str, Any]]:
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def cohort(customer: dict[str, Any]) -> str | None:
    """The definition, said once more."""
    tags = [tag.lower() for tag in (customer["tags"] or "").split(", ")]
    if customer["orders_count"] == 0:
        return None
    if customer["orders_count"] >= 6 or Decimal(customer["total_spent"]) >= 500 or "vip" in tags:
        return "VIP"
    return "Returning" if customer["orders_count"] >= 2 else "New"


def members(truth: dict[str, list[dict[str, Any]]]) -> dict[int, str]:
    return {row["id"]: name for row in truth["customer"] if (name := cohort(row))}


def test_cohorts_are_what_a_plain_count_says(loaded: Tried, truth: dict[str, list[dict[str, Any]]]) -> None:
    """Sizes, spans, median spend and the three product types that most customers of a cohort bought."""
    found = {row["cohort"]: row for row in records(rows_of(loaded, "mavera_cohorts"))}
    belongs = members(truth)
    assert {name: row["customers"] for name, row in found.items()} == Counter(belongs.values())
    for name, row in found.items():
        of_it = [one for one in truth["customer"] if belongs.get(one["id"]) == name]
        counts = sorted(one["orders_count"] for one in of_it)
        assert row["orders"] == orders_of(counts)
        assert abs(row["median_spent"] - median(Decimal(one["total_spent"]) for one in of_it)) <= Decimal("0.5")
        assert row["currency"] == SHOP.currency
        assert row["top_product_types"] == (liked(truth, belongs, name) or None)
        assert row["rhythm"] == rhythm(truth, belongs, name)


def orders_of(counts: list[int]) -> str:
    """What nine in ten have: the first and last twentieth of the sorted counts are left aside."""
    low, high = (counts[max(ceil(share * len(counts)), 1) - 1] for share in (0.05, 0.95))
    return "1 order" if high == 1 else f"{high} orders" if low == high else f"{low} to {high} orders"


def rhythm(truth: dict[str, list[dict[str, Any]]], belongs: dict[int, str], name: str) -> str:
    placed: dict[int, list[datetime]] = {}
    for one in truth["order"]:
        if not one["canceled_at"] and not one["test"] and belongs.get(one["customer_id"]) == name:
            placed.setdefault(one["customer_id"], []).append(one["processed_at"])
    gaps = [(max(own) - min(own)) / timedelta(days=1) / (len(own) - 1) for own in placed.values() if len(own) > 1]
    if not gaps:
        return "No second order yet"
    between = half_away(median(gaps))
    assert between >= 2
    return f"Orders about every {between if between < 100 else half_away(between / 10) * 10} days"


def liked(truth: dict[str, list[dict[str, Any]]], belongs: dict[int, str], name: str) -> list[str]:
    good = {one["id"]: one["customer_id"] for one in truth["order"] if not one["canceled_at"] and not one["test"]}
    kinds = {one["id"]: one["product_type"] for one in truth["product"]}
    bought = {
        (kinds.get(line["product_id"]), good[line["order_id"]])
        for line in truth["order_line"]
        if line["order_id"] in good and belongs.get(good[line["order_id"]]) == name
    }
    counts = Counter(kind for kind, _ in bought if kind)
    enough = [(-count, kind) for kind, count in counts.items() if count >= 25]
    return [kind for _, kind in sorted(enough)[:3]]


def test_metafields_are_what_a_plain_count_says(loaded: Tried, truth: dict[str, list[dict[str, Any]]]) -> None:
    """Texts and lists by their most common value, ties by its text; numbers by their mean; answers as a score."""
    found = records(rows_of(loaded, "mavera_metafields"))
    belongs = members(truth)
    fields: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for one in truth["customer_metafield"]:
        if one["namespace"] == "custom" and one["customer_id"] in belongs:
            held = fields.setdefault((belongs[one["customer_id"]], one["key"]), [])
            held.append((one["customer_id"], one["type"], one["value"]))
    assert {(row["cohort"], row["key"]) for row in found} == fields.keys() and len(found) == len(fields)
    for row in found:
        assert (row["value"], row["support"], row["sample_size"]) == expected(
            row["key"], fields[row["cohort"], row["key"]]
        )
        assert row["customers"] == Counter(belongs.values())[row["cohort"]]


def expected(key: str, held: list[tuple[int, str, str]]) -> tuple[str, int, int]:
    kind = held[0][1]
    if kind.startswith("number"):
        numbers = [float(value) for *_, value in held]
        if key != "nps_score":
            return two_digits(mean(numbers)), len(held), len(held)
        score = sum(number >= 9 for number in numbers) - sum(number <= 6 for number in numbers)
        return str(half_away(100 * score / len(numbers))), len(held), len(held)
    listed = kind.startswith("list.")
    said = {(who, one) for who, _, value in held for one in (json.loads(value) if listed else [value])}
    support, value = min((-count, value) for value, count in Counter(one for _, one in said).items())
    return value, -support, len({who for who, _ in said})


def half_away(number: float) -> int:
    return int(number + (0.5 if number > 0 else -0.5))


def two_digits(number: float) -> str:
    exact = Decimal(number)
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), ROUND_HALF_UP)
    return str(int(rounded)) if abs(rounded) >= 10 else str(float(rounded))


def test_as_of_is_the_least_watermark(loaded: Tried) -> None:
    found = rows_of(loaded, "mavera_cohorts")
    feeds = [name.removeprefix("shopify.") for name in found.reading.tables]
    marks = watermarks(loaded.place.files, "shopify", feeds).values()
    assert found.as_of == min(mark for mark in marks if mark is not None)
    assert found.rows == rows_of(loaded, "mavera_cohorts").rows


def test_a_namespace_without_values_lists_those_that_there_are(loaded: Tried) -> None:
    with pytest.raises(ConfigurationError) as refused:
        rows_of(loaded, "mavera_metafields", parameters={"namespaces": ["custom", "reviws"], "nps_keys": ["nps"]})
    assert "`reviws` of namespaces does not occur in shopify.customer_metafield.namespace" in refused.value.message
    assert refused.value.fix.startswith("Did you mean `reviews`? There are: custom (")


@pytest.fixture
def changed(loaded: Tried, tmp_path: Path) -> Iterator[Tried]:
    yield loaded.copy(tmp_path / "copy")


def test_a_feed_that_is_not_sent_is_named_with_its_line(changed: Tried) -> None:
    changed.edit("couriers/shopify.yaml", "  customer_metafield:", "  # customer_metafield:")
    with pytest.raises(ConfigurationError) as refused:
        rows_of(changed, "mavera_metafields")
    assert refused.value.fix.startswith("Add the line `customer_metafield:` to `feeds:` in couriers/shopify.yaml")
    assert refused.value.fix.endswith("then: courier run --courier shopify --sandbox")


def test_a_table_that_is_not_loaded_yet_names_the_run(changed: Tried) -> None:
    changed.edit("domain_tables/shopify/customer.yaml", "  state:", "  locale: string\n  state:")
    with pytest.raises(UsageError) as refused:
        rows_of(changed, "mavera_cohorts")
    assert refused.value.message.startswith("shopify.customer.locale is not loaded yet")
    assert refused.value.fix == "courier run --courier shopify --sandbox --feed customer"


PRODUCTS = "SELECT to_json(p)::VARCHAR AS whole FROM shopify.product AS p"


def test_a_column_that_the_yaml_lost_does_not_leave(changed: Tried) -> None:
    """It is in the warehouse still, and nobody says any more whether it is personal."""
    assert "handle" in str(things(changed, PRODUCTS).rows)
    changed.edit("domain_tables/shopify/product.yaml", "  handle: string\n", "")
    assert "handle" not in str(things(changed, PRODUCTS).rows)


def test_a_view_is_read_as_its_file_has_it(changed: Tried) -> None:
    """What is checked is what runs, whatever the warehouse has from the last run."""
    sql = "SELECT DISTINCT cohort FROM shopify.customer_cohort ORDER BY cohort"
    changed.edit("domain_tables/shopify/customer_cohort.sql", "'VIP'", "'best'")
    assert things(changed, sql).rows == (("New",), ("Returning",), ("best",))


def test_an_error_on_the_data_shows_none_of_it(changed: Tried) -> None:
    """DuckDB quotes the value that it could not convert."""
    with pytest.raises(UsageError) as failed:
        things(changed, "SELECT max(state::INTEGER) AS n FROM shopify.customer")
    assert failed.value.message == "activations/mavera_cohorts.sql failed: Conversion Error on the data"


def test_decimals_and_instants_keep_what_they_are(changed: Tried) -> None:
    ((spent, first, when),) = things(
        changed, "SELECT sum(total_price) AS a, min(created_at) AS b, $as_of AS c FROM shopify.order AS o"
    ).rows
    assert isinstance(spent, Decimal)
    assert str(first.tzinfo) == str(when.tzinfo) == "UTC"


def things(tried: Tried, sql: str) -> Rows:
    """The rows of another query, which stand for nobody."""
    project = project_of(tried)
    return read_rows(project, bare(project.activations["mavera_cohorts"], sql), tried.place.files)


def bare(activation: Activation, sql: str) -> Activation:
    return replace(activation, sql=sql, rows_are="things", key=None, body=Chat("What now?"))


def test_nothing_but_the_named_tables_can_be_reached(changed: Tried) -> None:
    for sql in ("SELECT * FROM courier.run", "SELECT * FROM sandbox.shopify.product", "SELECT getvariable('x') AS x"):
        with pytest.raises(ConfigurationError):
            things(changed, sql)


def test_a_query_over_all_sources_gives_rows(loaded: Tried, truth: dict[str, list[dict[str, Any]]]) -> None:
    """The views of the schema `semantic` are there as the project's files have them."""
    sql = "SELECT source, count(DISTINCT ck) AS customers FROM semantic.customer GROUP BY source"
    project = project_of(loaded)
    shopify = replace(project, couriers={"shopify": project.couriers["shopify"]})
    found = read_rows(shopify, bare(project.activations["mavera_cohorts"], sql), loaded.place.files)
    assert found.rows == (("shopify", len(truth["customer"])),)
