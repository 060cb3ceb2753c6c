"""One courier with many stores: each one's tables in its own schema, all of them in views of the courier's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from courier import clock, sandbox
from courier.cli.init import write_project
from courier.cli.project import open_project, opening
from courier.runtime import group_run
from courier.runtime.context import Context
from courier.runtime.group_run import Asked, run_group, run_single
from courier.runtime.place import Place
from courier.runtime.result import GroupResult
from courier.storage.activation_rows import read_rows
from courier.storage.inspect import open_published, tables, views
from tests.runs.hurried import write_list
from tests.runs.tried import silent

FEEDS = "  customer:\n  order:\n  order_line:\n  product:\n"
VIEWS = {"customer", "customer_cohort", "customer_totals", "order", "order_line", "product"}


@dataclass(frozen=True)
class Fleet:
    root: Path

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=True)

    def run(self, what: str = "", group: str = "shopify") -> GroupResult:
        """A courier, or all its stores; without a name the group."""
        project = open_project(self.root)
        with opening(project, self.place) as opened:
            context = Context(project, self.place, opened.couriers, silent)
            asked = Asked(clock.now())
            return run_single(context, what, asked) if what else run_group(context, project.groups[group], asked)

    def ask(self, sql: str) -> list[Any]:
        with open_published(self.place.files.published) as connection:
            return connection.execute(sql).fetchall()

    def held(self) -> Mapping[str, str]:
        with open_published(self.place.files.published) as connection:
            return {one.table: one.hash for one in tables(connection)}

    def views(self) -> set[str]:
        with open_published(self.place.files.published) as connection:
            return {one.view for one in views(connection)}

    def truth(self, *stores: str) -> dict[str, str]:
        main = sandbox.open_shop(self.place.state)
        told = {store: sandbox.truth(sandbox.open_store(main, store)) for store in stores}
        wanted = {line.strip(" :\n") for line in FEEDS.splitlines()}
        return {
            one.table.replace("shopify.", f"{store}."): one.hash
            for store, every in told.items()
            for one in every
            if one.table.removeprefix("shopify.") in wanted
        }


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    root = tmp_path / "project"
    write_project(root)
    write_list(root, "shopify", ["uk", "us"], FEEDS)
    yield Fleet(root)


def test_many_stores_are_a_schema_each_and_one_of_views_over_all(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash-equal to each store's truth in a run of many and after a change; only real tables have hashes."""
    monkeypatch.setattr(group_run, "MANY", 1)
    result = fleet.run()
    assert (result.result, [one.courier for one in result.couriers]) == ("succeeded", ["shopify_uk", "shopify_us"])
    assert fleet.held() == fleet.truth("shopify_uk", "shopify_us") and len(fleet.held()) == 8
    assert {f"shopify.{name}" for name in VIEWS} <= fleet.views()
    assert_one_view_over_all(fleet)
    assert len(fleet.ask("SELECT DISTINCT identity FROM courier.source_identity")) == 2
    sandbox.change(sandbox.open_store(sandbox.open_shop(fleet.place.state), "shopify_us"), 10)
    again = fleet.run("shopify")
    changed = {
        one.courier: any(feed.counters.inserted or feed.counters.updated for feed in one.feeds)
        for one in again.couriers
    }
    assert changed == {"shopify_uk": False, "shopify_us": True}
    assert fleet.held() == fleet.truth("shopify_uk", "shopify_us")
    assert_read_by_activations(fleet)


def assert_one_view_over_all(fleet: Fleet) -> None:
    for name in VIEWS - {"customer_totals", "customer_cohort"}:
        each = [fleet.ask(f"SELECT '{store}', * FROM shopify_{store}.{name}") for store in ("uk", "us")]
        columns = [one[0] for one in fleet.ask(f"DESCRIBE shopify.{name}")]
        assert columns[0] == "store" and columns[1:] == [one[0] for one in fleet.ask(f"DESCRIBE shopify_uk.{name}")]
        assert sorted(map(repr, fleet.ask(f"FROM shopify.{name}"))) == sorted(map(repr, each[0] + each[1]))
    spent = fleet.ask("SELECT store, sum(total_spent) FROM shopify.customer_totals GROUP BY 1 ORDER BY 1")
    assert spent == fleet.ask("SELECT store, sum(total_spent) FROM shopify.customer GROUP BY 1 ORDER BY 1")


def assert_read_by_activations(fleet: Fleet) -> None:
    """SQL that was written for one store reads all of them."""
    project = open_project(fleet.root)
    rows = read_rows(project, project.activations["mavera_cohorts"], fleet.place.files)
    (members,) = fleet.ask("SELECT count(*) FROM shopify.customer_cohort")
    counted = sum(row[rows.columns.index("customers")] for row in rows.rows)
    assert (counted, rows.as_of is not None) == (members[0], True)
    assert set(rows.reading.tables) == {f"shopify.{name}" for name in ("customer", "order", "order_line", "product")}


def test_the_views_follow_the_list(fleet: Fleet) -> None:
    """A store that joins is there with its first run, one that leaves is gone from the views with the next run."""
    stores = "SELECT DISTINCT store FROM shopify.customer ORDER BY 1"
    fleet.run("shopify_uk")
    assert fleet.ask(stores) == [("uk",)]
    fleet.run("shopify_us")
    assert fleet.ask(stores) == [("uk",), ("us",)]
    write_list(fleet.root, "shopify", ["us"], FEEDS)
    fleet.run("shopify_us")
    assert fleet.ask(stores) == [("us",)] and fleet.ask("SELECT count(*) FROM shopify_uk.customer") != [(0,)]


@pytest.mark.parametrize(
    ("connector", "feeds"),
    [("bigcommerce", "  store: { load: truncate }\n"), ("klaviyo", "  accounts: { load: truncate }\n")],
)
def test_the_other_sources_have_stores_too(fleet: Fleet, connector: str, feeds: str) -> None:
    write_list(fleet.root, connector, ["a", "b"], feeds)
    assert fleet.run(connector).result == "succeeded"
    table = feeds.split(":")[0].strip()
    assert len(fleet.ask(f"SELECT DISTINCT store, id FROM {connector}.{table}")) == 2


def test_tables_of_one_store_are_never_hidden_by_views(fleet: Fleet) -> None:
    """A courier that had one store keeps its tables when it gets a list; its own name then has no views."""
    write_project(fleet.root.parent / "before")
    one = Fleet(fleet.root.parent / "before")
    write_list(one.root, "shopify", [], "  locations: { load: truncate }\n")
    assert one.run("shopify").result == "succeeded"
    held = one.held()
    write_list(one.root, "shopify", ["uk"], "  locations: { load: truncate }\n")
    assert one.run("shopify_uk").result == "succeeded"
    assert {name: one.held()[name] for name in held} == held and "shopify_uk.locations" in one.held()
