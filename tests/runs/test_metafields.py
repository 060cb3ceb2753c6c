"""Optional feeds: metafields of five owners, with the namespaces that were chosen, and abandoned checkouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier import clock, sandbox
from courier.cli.status import courier_state
from courier.errors import UsageError
from courier.runtime.events import Event, Noticed
from courier.runtime.history import History
from courier.runtime.result import CourierResult
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.truth import OPTIONAL, truth_tables
from tests.runs.hurried import Hurried
from tests.runs.tried import Tried, make, run_inside

SHOP = Options(seed=2, customers=20, orders=45, products=5, special=False)
FEEDS = """
  customer_metafield: { namespaces: [custom, revews] }
  order_metafield: { namespaces: custom }
  product_metafield:
  product_variant_metafield:
  location_metafield: { load: truncate }
  abandoned_checkout:
"""
FEEDS_OF_METAFIELDS = tuple(
    f"{owner}_metafield" for owner in ("customer", "order", "product", "product_variant", "location")
)


@pytest.fixture
def project(tmp_path: Path, hurry: Hurried) -> Tried:
    project = make(tmp_path / "project", hurry, SHOP)
    text = (project.root / "couriers/shopify.yaml").read_text()
    (project.root / "couriers/shopify.yaml").write_text(text.rstrip() + FEEDS)
    return project


def run(project: Tried, served: Sandbox) -> tuple[CourierResult, list[str]]:
    """A run, and its notes about metafields."""
    noted: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Noticed) and "namespace" in event.note:
            noted.append(event.note)

    result = run_inside(project, served, report)
    assert result.result == "succeeded", result.problem
    return result, noted


def test_tables_that_there_are_not_are_refused() -> None:
    """The truth of a misspelt table is a mistake, told with the name that was meant."""
    with pytest.raises(UsageError) as refused:
        sandbox.truth(sandbox.open_shop(None, SHOP), ["order_metafeild"])
    assert "order_metafield" in refused.value.fix


def assert_true(project: Tried) -> None:
    """What is not cut down to namespaces is hash-equal to the truth; of the rest every chosen row is there."""
    shop = sandbox.open_shop(project.place.state)
    told = {one.table.removeprefix("shopify."): one.hash for one in sandbox.truth(shop, OPTIONAL)}
    held = project.hashes()
    narrow = {"customer_metafield", "order_metafield"}
    assert {table: held[table] for table in OPTIONAL if table not in narrow} == {
        table: told[table] for table in OPTIONAL if table not in narrow
    }
    assert {table: held[table] for table in project.truth()} == project.truth()
    for table, rows in truth_tables(shop, narrow).items():
        wanted = sorted((row["id"], row["value"]) for row in rows if row["namespace"] == "custom")
        assert sorted(project.query(f"SELECT id, value FROM shopify.{table}")) == wanted != []


def test_optional_feeds_hold_the_truth_and_a_wrong_namespace_is_told(project: Tried) -> None:
    """After a first run and after a change; a misspelt namespace is told beside those that there are."""
    with sandbox.serve(sandbox.open_shop(project.place.state)) as served:
        first, noted = run(project, served)
        assert_true(project)
        (note,) = noted
        assert note.startswith("customer_metafield: no record in namespace `revews`; the shop has custom (")
        assert "loyalty (" in note and "reviews (" in note
        project.change(20)
        again, _ = run(project, served)
        assert_true(project)
    for result in (first, again):
        report = {feed["feed"]: feed for feed in result.as_json()["feeds"]}
        assert report["customer"]["namespaces"] == []
        of_orders = {one["namespace"]: one for one in report["order_metafield"]["namespaces"]}
        assert [name for name, one in of_orders.items() if one["chosen"]] == ["custom"]
        assert of_orders["custom"]["stored"] > 0 and of_orders["reviews"] == {
            "namespace": "reviews",
            "chosen": False,
            "stored": 0,
            "seen": of_orders["reviews"]["seen"],
        }
    state = courier_state(project.place, History(project.place.history), "shopify", clock.now())
    assert [one["feed"] for one in state["metafields"]] == list(FEEDS_OF_METAFIELDS)
    assert project.query("SELECT count(DISTINCT table_name) FROM courier.metafield_namespace") == [(5,)]
