"""What the ledger answers: before anything was committed, and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from courier.clock import Interval
from courier.errors import ForeignData
from courier.storage import ledger
from courier.storage.load import Counters, WorkRecord
from courier.storage.tables import existing
from courier.storage.warehouse import Files, opened
from tests.storage.loads import ORDER, PLACE, SCHEMA, Shop, at

# Columns that came after the first files had been written.
LATER = {
    "run": ("requests", "retries", "bytes", "config", "courier_version", "dlt_version", "duckdb_version"),
    "feed_run": ("fetched",),
}


def order(key: int, updated: int = 1) -> dict[str, object]:
    return {"id": key, "email": f"{key}@example.com", "updated_at": at(updated)}


def test_everything_answers_before_the_first_commit(tmp_path: Path) -> None:
    """Without a private file there is nothing, and asking does not make one."""
    files = Files.of(tmp_path)
    assert ledger.watermarks(files, SCHEMA, ["order"]) == {"order": None}
    assert ledger.coverage(files, SCHEMA, "order") == []
    assert ledger.gaps(files, SCHEMA, ["order"]) == {"order": None}
    assert ledger.bound_identity(files, SCHEMA) is None
    assert not ledger.committed(files, "run-1")
    assert ledger.last_runs(files) == []
    assert list(tmp_path.iterdir()) == []
    with opened(files) as connection:
        assert ledger.watermarks(connection, SCHEMA, ["order"]) == {"order": None}


def test_periods_tile_and_a_gap_holds_the_watermark(shop: Shop) -> None:
    """P is where the first stretch without a gap ends, per feed; filling the gap moves it on."""
    for since, until in ((None, at(10)), (at(10), at(20)), (at(30), at(40))):
        shop.load(shop.rows_load(ORDER, [], period=Interval(since, until)))
    assert ledger.coverage(shop.warehouse, SCHEMA, "order") == [Interval(None, at(20)), Interval(at(30), at(40))]
    assert ledger.gaps(shop.warehouse, SCHEMA, ["order", "place"]) == {
        "order": [Interval(at(20), at(30))],
        "place": None,
    }
    assert ledger.watermarks(shop.warehouse, SCHEMA, ["order", "place"]) == {"order": at(20), "place": None}
    shop.load(shop.rows_load(ORDER, [], period=Interval(at(20), at(30))))
    with opened(shop.warehouse) as connection:
        assert ledger.watermarks(connection, SCHEMA, ["order"]) == {"order": at(40)}


def test_the_ledger_tells_each_feeds_run(shop: Shop) -> None:
    """Counters, period, request, watermark and errors stand in the ledger, also if no row changed."""
    period, request = Interval(at(5), at(9)), Interval(at(1), at(9))
    shop.load(
        shop.rows_load(ORDER, [order(1)], errors=1, period=period, request=request, outside_window=3),
        run="first",
        load_id="123.4",
        api_version="2026-10",
    )
    shop.load(shop.rows_load(ORDER, [order(1)], period=period, request=request), run="second")
    rows = shop.ask(
        "SELECT run, read, inserted, unchanged, errors, outside_window, period_since, request_since, watermark "
        "FROM private.courier.feed_run ORDER BY run"
    )
    assert rows == [
        ("first", 2, 1, 0, 1, 3, at(5), at(1), at(9)),
        ("second", 1, 0, 1, 0, 0, at(5), at(1), at(9)),
    ]
    assert [(run.run, run.load_id, run.changed) for run in ledger.last_runs(shop.warehouse)] == [
        ("second", None, False),
        ("first", "123.4", True),
    ]
    assert ledger.last_runs(shop.warehouse, "another") == []
    errors = shop.ask("SELECT run, feed, line, column_name, shape FROM private.courier.record_error")
    assert errors == [("first", "order", 1, "id", "text of 3 characters")]


def test_every_column_of_the_ledger_has_a_comment(filed: Shop) -> None:
    filed.load(filed.rows_load(ORDER, []))
    bare = """
        SELECT table_name, column_name FROM duckdb_columns()
        WHERE database_name = 'private' AND schema_name = 'courier' AND comment IS NULL
    """
    assert filed.ask(bare) == []


def test_a_feeds_history_is_what_its_watermark_went_through(shop: Shop) -> None:
    """What each run read and what of it was new, in order; not the first load, and not a period loaded once more."""
    assert ledger.feed_history(shop.warehouse, SCHEMA) == {}
    everything, again = Interval(None, at(10)), Interval(at(12), at(15))
    shop.load(shop.rows_load(ORDER, [order(1)], period=everything, request=everything), run="first")
    for number, since in enumerate((10, 20, 30)):
        period, request = Interval(at(since), at(since + 10)), Interval(at(since - 5), at(since + 10))
        if number == 2:
            request = Interval(None, None)
        shop.load(shop.rows_load(ORDER, [order(1), order(number)], period=period, request=request), run=f"run-{number}")
    shop.load(shop.rows_load(ORDER, [order(1)], period=again, request=again), run="by hand")
    found = ledger.feed_history(shop.warehouse, SCHEMA)["order"]
    assert [(one.run, one.until, one.whole, one.read, one.fresh) for one in found] == [
        ("run-0", at(20), False, 2, 1),
        ("run-1", at(30), False, 2, 0),
        ("run-2", at(40), True, 2, 1),
    ]
    assert {one.length for one in found} == {timedelta(seconds=10)}
    assert [one.run for one in ledger.feed_history(shop.warehouse, SCHEMA, limit=1)["order"]] == ["run-2"]


def test_a_ledger_of_an_earlier_courier_gets_its_columns(filed: Shop) -> None:
    """They come last, with their comments, null for the runs of before."""
    filed.load(filed.rows_load(ORDER, [order(1)]), run="before")
    columns = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'courier' ORDER BY ALL"
    whole = filed.ask(columns)
    for table, columns_of in LATER.items():
        for column in columns_of:
            filed.ask(f"ALTER TABLE private.courier.{table} DROP COLUMN {column}")
    filed.load(
        replace(filed.rows_load(ORDER, [order(2)]), fetched=7),
        run="after",
        work=WorkRecord(3, 1, 900, "c0ffee"),
    )
    assert filed.ask(columns) == whole
    taken = (
        "SELECT run, requests, retries, bytes, config, fetched "
        "FROM private.courier.run JOIN private.courier.feed_run USING (run) ORDER BY run"
    )
    assert filed.ask(taken) == [("after", 3, 1, 900, "c0ffee", 7), ("before", None, None, None, None, None)]


def test_a_run_is_committed_once(shop: Shop) -> None:
    """A run that is committed already gives its recorded counters and changes nothing."""
    first = shop.load(shop.rows_load(ORDER, [order(1)]), run="one")
    again = shop.load(shop.rows_load(ORDER, [order(2)]), run="one")
    assert ledger.committed(shop.warehouse, "one")
    assert again.counters == first.counters == {"order": Counters(read=1, inserted=1)}
    assert not again.changed
    assert shop.rows(ORDER, "id") == [(1,)]


def test_a_schema_belongs_to_one_shop(shop: Shop) -> None:
    """The first commit binds the schema; another shop's data is refused with exit code 4, and leaves no trace."""
    shop.load(shop.rows_load(ORDER, [order(1)]))
    assert ledger.bound_identity(shop.warehouse, SCHEMA) == "shop-1"
    with pytest.raises(ForeignData) as caught:
        shop.load(shop.rows_load(PLACE, [{"id": 1}]), run="foreign", identity="shop-2")
    assert caught.value.exit_code == 4
    assert not ledger.committed(shop.warehouse, "foreign")
    with opened(shop.warehouse) as connection:
        assert [name for schema, name in existing(connection, SCHEMA) if schema == SCHEMA] == ["order"]
