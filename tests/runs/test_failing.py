"""Runs that fail: nothing is committed, the message says what to do, and doing it helps."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from courier import sandbox
from courier.errors import Incomplete
from courier.runtime.events import Event, FeedShaped
from courier.runtime.proof import check_landed
from courier.sandbox.history.options import Options
from courier.sandbox.shopify.faults import Fault
from courier.storage import duck
from courier.storage.load import Landed
from tests.runs.tried import GROUP, Tried, run_inside

STATE = "domain_tables/shopify/product.yaml"
GOOD, BAD = "status: { type: string, sql: lower($1) }", "status: { type: integer, sql: lower($1) }"


def test_a_retry_needs_no_source(fresh: Tried, tmp_path: Path) -> None:
    """Too many records in error commit nothing. Mended, `courier retry` asks nobody and ends in the truth.

    A retry that is killed is gone on with by the next run, or by another retry.
    """
    fresh.edit(STATE, GOOD, BAD)
    failed = fresh.courier(*GROUP)
    assert failed.code == 1
    assert failed.object["result"] == "failed"
    assert "column status" in failed.object["problem"]["message"]
    assert "courier retry" in failed.object["problem"]["fix"]
    assert not fresh.place.files.published.exists()
    fresh.edit(STATE, BAD, GOOD)
    retry = ("retry", failed.object["couriers"][0]["run"], "--sandbox", "--json")
    assert fresh.struck("SIGKILL", {"event": "Committing"}, *retry).code == -signal.SIGKILL
    other = fresh.copy(tmp_path / "other")
    for project, again in ((fresh, fresh.courier(*retry)), (other, other.run())):
        assert again.code == 0, again.err
        assert again.named("RunStarted", recovered=True)[0]["run"] == retry[1]
        assert [again.named(kind, run=retry[1]) for kind in ("Fetched", "SourceAnswered")] == [[], []]
        assert project.hashes() == project.truth()
        assert list(project.place.runs.rglob("landing")) == []
    refused = fresh.courier(*retry)
    assert refused.code == 2
    assert "has committed" in refused.err


def test_a_family_with_a_child_in_error_stays_as_stored(loaded: Tried, tmp_path: Path) -> None:
    """One line of an order cannot be read: that order's lines stay as they were, everything else is the truth."""
    loaded.change()
    whole = loaded.copy(tmp_path / "whole")
    whole.run()
    order, line = changed_line(loaded, whole)
    stored, new = lines(loaded, f"= {order}"), lines(whole, f"<> {order}")
    assert stored != lines(whole, f"= {order}")
    with sandbox.serve(sandbox.open_shop(loaded.place.state)) as served:
        served.faults.add(
            Fault("bad_value", record=f"gid://shopify/LineItem/{line}", field="quantity", value="many", times=0)
        )
        held = {feed.feed: feed for feed in run_inside(loaded, served).feeds}["order_line"].counters
        assert (held.errors, held.rejected) == (1, len(lines(whole, f"= {order}")) - 1)
        assert lines(loaded, f"= {order}") == stored
        assert lines(loaded, f"<> {order}") == new
        served.faults.clear()
        run_inside(loaded, served)
    assert loaded.hashes() == loaded.truth()


def lines(project: Tried, order: str) -> list[Any]:
    columns = "* EXCLUDE (_fetched_at, _run)"
    return project.query(f"SELECT {columns} FROM shopify.order_line WHERE order_id {order} ORDER BY id")


def changed_line(before: Tried, after: Tried) -> tuple[int, int]:
    """A line of an order with several lines of which some changed: (order, line)."""
    query = "SELECT order_id, id, quantity, total_discount, fulfillable_quantity FROM shopify.order_line"
    old, new = set(before.query(query)), set(after.query(query))
    existing = {row[1] for row in old}
    order, line, *_ = min(row for row in new - old if row[1] in existing and len(lines(after, f"= {row[0]}")) > 1)
    return order, line


def test_rows_that_are_lost_on_the_way_fail_the_run(fresh: Tried) -> None:
    """What dlt landed is counted against what was shaped: a file that loses a row in between commits nothing."""

    def report(event: Event) -> None:
        if isinstance(event, FeedShaped) and event.feed == "locations":
            for path in fresh.place.runs.glob("*/shaped/Product/**/*.parquet"):
                lose_a_row(path)

    with sandbox.serve(sandbox.open_shop(fresh.place.state)) as served:
        result = run_inside(fresh, served, report)
        assert result.result == "failed"
        assert "shaped, but" in result.problem
        assert not fresh.place.files.published.exists()
        assert run_inside(fresh, served).result == "succeeded"
    assert fresh.hashes() == fresh.truth()


def lose_a_row(path: Path) -> None:
    less = path.with_name("less")
    connection = duck.connect()
    try:
        connection.execute(f"COPY (SELECT * FROM read_parquet('{path}') OFFSET 1) TO '{less}' (FORMAT parquet)")
    finally:
        connection.close()
    less.replace(path)


def test_a_table_missing_from_the_landing_fails_the_run(tmp_path: Path) -> None:
    """Its absence is no empty table: the run is incomplete, and the message names it."""
    with pytest.raises(Incomplete, match="order_line"):
        check_landed(["order", "order_line"], Landed("1", {}, {"order": 1}), {"order": 1})


def test_another_shop_is_refused(loaded: Tried) -> None:
    """The same project, another shop: exit 4 with nothing changed, and the first shop is taken up again as before."""
    book = loaded.place.state / "shop.json"
    mine, before = book.read_bytes(), loaded.hashes()
    book.unlink()
    sandbox.open_shop(loaded.place.state, Options(seed=7, customers=5, orders=5, products=5))
    refused = loaded.courier(*GROUP)
    assert refused.code == 4
    assert "these credentials are for" in refused.object["problem"]["message"]
    assert refused.named("Fetched") == []
    assert loaded.hashes() == before
    book.write_bytes(mine)
    run = loaded.run()
    assert run.named("RunStarted", recovered=True) == []
    assert loaded.hashes() == before


def test_missing_credentials_end_before_any_request(fresh: Tried) -> None:
    """Exit 3: every missing variable with the file and line that names it, and the sandbox as a way to try."""
    ended = fresh.courier("run", "--group", "shopify")
    assert ended.code == 3
    for said in ("SHOPIFY_STORE", "SHOPIFY_ACCESS_TOKEN", "couriers/shopify.yaml:", ".env", "--sandbox"):
        assert said in ended.err
    assert not (fresh.root / ".courier" / "runs").exists()
    assert not (fresh.root / "warehouse.duckdb").exists()
