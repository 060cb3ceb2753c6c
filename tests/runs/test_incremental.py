"""Real runs one after the other: nothing changed, something changed, and what dlt has to do with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from courier import sandbox
from courier.runtime.events import Event, RunLanded
from courier.sandbox.history.options import Options
from courier.storage.land import FOLDER
from tests.runs.hurried import Ended, Hurried
from tests.runs.tried import GROUP, SHOP, TABLES, Tried, ended, make, run_inside

WITHOUT_DLT = """
import atexit, os, sys
from courier.cli import main
sys.argv[0] = "courier"
atexit.register(lambda: {"dlt", "pyarrow", "pandas"} & set(sys.modules) and os._exit(9))
main()
"""
CHANGED = ("inserted", "updated", "deleted")
OUTCOMES = ("inserted", "updated", "unchanged", "rejected", "errors")


def changes(run: Ended) -> dict[str, tuple[int, ...]]:
    return {name: tuple(feed[counter] for counter in CHANGED) for name, feed in run.feeds.items()}


def assert_identity(run: Ended) -> None:
    """read = inserted + updated + unchanged + rejected + errors, for every feed."""
    for feed in run.feeds.values():
        assert feed["read"] == sum(feed[outcome] for outcome in OUTCOMES)


def test_a_second_run_without_changes_changes_nothing(loaded: Tried) -> None:
    """No row changes, nothing is published or landed, and dlt is not even imported."""
    published = loaded.place.files.published
    before, hashes = published.stat(), loaded.hashes()
    again = ended(loaded.start("-c", WITHOUT_DLT, *GROUP))
    assert again.code == 0, again.err
    assert set(changes(again).values()) == {(0, 0, 0)}
    assert_identity(again)
    assert again.object["couriers"][0]["load_id"] is None
    assert again.named("RunPublished") == []
    after = published.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert loaded.hashes() == hashes


def test_exactly_what_changed_changes(loaded: Tried) -> None:
    """Every counter is what the shop says it did; tags, lines and products that it took away are gone."""
    before = {table: keys(loaded, table) for table in ("order_tags", "order_line", "product")}
    changed = loaded.courier("sandbox", "change", "--orders", "50", "--json")
    told = {
        one["table"].removeprefix("shopify."): tuple(one[name] for name in CHANGED) for one in changed.object["tables"]
    }
    run = loaded.run()
    assert changes(run) == told
    assert_identity(run)
    assert all(feed["reconciled"] for feed in run.feeds.values())
    assert loaded.hashes() == loaded.truth()
    for table, there in before.items():
        assert len(there - keys(loaded, table)) == told[table][2] > 0, table
    assert set(changes(loaded.run()).values()) == {(0, 0, 0)}


def keys(project: Tried, table: str) -> set[Any]:
    columns = "order_id, value" if table.endswith("tags") else "id"
    return set(project.query(f'SELECT {columns} FROM shopify."{table}"'))


@pytest.mark.parametrize(
    ("shop", "orders"),
    [
        (Options(seed=1, customers=30, orders=60, products=8), 7),
        (Options(seed=3, customers=1, orders=2, products=1, special=False), 90),
    ],
)
def test_other_shops_and_several_changes(shop: Options, orders: int, tmp_path: Path, hurry: Hurried) -> None:
    """Whatever the shop: after each run the tables are the truth and the counters are what the shop did."""
    project = make(tmp_path / "project", hurry, shop)
    with sandbox.serve(sandbox.open_shop(project.place.state)) as served:
        run_inside(project, served)
        assert project.hashes() == project.truth()
        for changed in (orders, 1):
            told = project.change(changed)
            result = run_inside(project, served)
            counters = {feed.feed: feed.counters for feed in result.feeds}
            assert {name: (one.inserted, one.updated, one.deleted) for name, one in counters.items()} == told
            assert project.hashes() == project.truth()


def test_all_brings_the_truth_and_deletes_what_is_absent(loaded: Tried) -> None:
    """--all after a change needs no look-back: what was changed is updated, what is absent is deleted."""
    told = loaded.change()
    run = loaded.run("--all")
    assert changes(run) == told
    assert run.feeds["order"]["read"] >= SHOP.orders
    assert loaded.hashes() == loaded.truth()


def test_the_load_id_is_dlts(fresh: Tried) -> None:
    """While the landing is there, its _dlt_loads holds the load that courier.run then names; then it is cleaned up."""
    found: list[Any] = []

    def report(event: Event) -> None:
        if isinstance(event, RunLanded):
            found.append(landing(fresh.place.runs / event.run / FOLDER / "shopify"))

    with sandbox.serve(sandbox.open_shop(fresh.place.state)) as served:
        result = run_inside(fresh, served, report)
    assert found == [([(result.load_id, 0)], TABLES)]
    assert fresh.query("SELECT load_id FROM courier.run") == [(result.load_id,)]
    assert not (fresh.place.runs / result.run / FOLDER).exists()


def landing(folder: Path) -> tuple[list[tuple[str, int]], int]:
    """What dlt wrote: its loads with their status, and the number of domain tables beside them."""
    lines = [orjson.loads(line) for file in folder.glob("_dlt_loads/*.jsonl") for line in file.read_text().splitlines()]
    tables = [table for table in folder.iterdir() if table.is_dir() and not table.name.startswith(("_dlt", "set_"))]
    return [(line["load_id"], line["status"]) for line in lines], len(tables)
