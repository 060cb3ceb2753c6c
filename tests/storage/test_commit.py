"""What a commit does with rows, sets, deletes and the YAML's changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from courier.config.project import DomainTable
from courier.errors import ConfigurationError, Incomplete
from courier.storage import ledger
from courier.storage.commit import TIDIED_EVERY, commit
from courier.storage.duck import read_parquet
from courier.storage.land import land
from courier.storage.load import ColumnStatus, Counters, FeedLoad, RunRecord
from courier.storage.news import preview
from courier.storage.tables import existing
from courier.storage.warehouse import opened
from tests.storage.loads import ALLOCATION, LINE, ORDER, PLACE, SCHEMA, TAGS, Set, Shop, at, column, write_parquet


def order(key: int, updated: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": key, "email": f"{key}@example.com", "total": "1.5", "updated_at": at(updated), **more}


def line(key: int, parent: int, title: str = "a") -> dict[str, Any]:
    return {"id": key, "order_id": parent, "title": title}


def allocation(line_id: int, index: int, amount: str = "1") -> dict[str, Any]:
    return {"line_id": line_id, "index": index, "amount": amount}


def test_the_landing_is_what_is_committed(filed: Shop) -> None:
    """Rows go from parquet through dlt's landing into the domain tables, with the load's id in the ledger."""
    types = {"id": "BIGINT", "name": "VARCHAR", "default": "BOOLEAN", "_fetched_at": "TIMESTAMPTZ"}
    path = write_parquet(filed.root / "place.parquet", types, [{"id": 1, "name": "here", "_fetched_at": at(1)}])
    landing = land(SCHEMA, {"place": [path]}, filed.root / "run")
    load = replace(filed.rows_load(PLACE, []), rows=read_parquet(landing.files["place"]), read=landing.counts["place"])
    run = RunRecord("run-1", SCHEMA, "shopify", "shop-1", "2026-01-01T00:00:00Z", landing.load_id)
    assert commit(filed.files, run, [load], TAGS, SCHEMA).changed
    assert filed.rows(PLACE) == [(1, "here", None)]
    assert ledger.last_runs(filed.files)[0].load_id == landing.load_id


def test_every_outcome_is_counted(shop: Shop) -> None:
    """Inserted, updated, unchanged, rejected and errors make up what was read."""
    shop.load(shop.rows_load(ORDER, [order(1), order(2, 5), order(3)], fetched=1))
    rows = [order(1), order(2, 4, total="9"), order(3, 2, total="2"), order(4), order(4, 0)]
    counters = shop.one(shop.rows_load(ORDER, rows, fetched=2, errors=2))
    assert counters == Counters(read=7, inserted=1, updated=1, unchanged=1, rejected=2, errors=2)


def test_a_change_of_the_same_version_goes_to_the_later_answer(shop: Shop) -> None:
    """Under equal last_updated the row fetched later stays, and an equal row stays wholly as it was stored."""
    shop.load(shop.rows_load(ORDER, [order(1), order(2)], fetched=5), run="first")
    shop.load(shop.rows_load(ORDER, [order(1, total="2"), order(2)], fetched=6), run="second")
    assert shop.one(shop.rows_load(ORDER, [order(1, total="3")], fetched=4)).rejected == 1
    assert shop.rows(ORDER, "id, total::VARCHAR, _fetched_at, _run") == [
        (1, "2.0000", at(6), "second"),
        (2, "1.5000", at(5), "first"),
    ]


def test_rows_that_were_replaced_do_not_pile_up(filed: Shop) -> None:
    """Their dead versions stay for a few commits, and then are gone for good."""
    places = []
    for version in range(TIDIED_EVERY + 1):
        changed = range(10) if version == 0 else [version % 7]
        filed.load(filed.rows_load(ORDER, [order(key, version) for key in changed], fetched=version))
        places.append(filed.rows(ORDER, "max(rowid)")[0][0])
    assert len(filed.rows(ORDER)) == 10
    assert places[::TIDIED_EVERY] == [9, 9]


def test_who_writes_a_little_after_a_change_does_not_fill_its_gaps(tmp_path: Path) -> None:
    """Or the first run after a change would pay for what that one was spared."""
    shop = Shop(tmp_path)
    shop.load(shop.rows_load(ORDER, [order(key) for key in range(10)], fetched=1))
    shop.load(shop.rows_load(ORDER, [order(key, 2) for key in range(5)], fetched=2))
    places = shop.rows(ORDER, "rowid")
    with opened(shop.warehouse) as connection:
        connection.execute("CREATE TABLE private.main.small AS SELECT 1 AS id")
    assert shop.rows(ORDER, "rowid") == places != [(place,) for place in range(10)]


def test_counters_that_do_not_add_up_commit_nothing(shop: Shop) -> None:
    """If fewer rows arrive than were read, the run fails and leaves no trace."""
    short = replace(shop.rows_load(ORDER, [order(1)]), read=2)
    with pytest.raises(Incomplete, match=r"shop\.order"):
        shop.load(shop.rows_load(PLACE, [{"id": 1}]), short, run="short")
    assert not ledger.committed(shop.warehouse, "short")
    with opened(shop.warehouse) as connection:
        assert (SCHEMA, "place") not in existing(connection, SCHEMA)


@pytest.mark.parametrize(
    ("table", "rows", "fewer"),
    [
        (LINE, [line(1, 7), line(2, 7)], [line(1, 7, "b")]),
        (ALLOCATION, [allocation(1, 0), allocation(1, 1)], [allocation(1, 0, "2")]),
    ],
)
def test_a_family_with_a_child_in_error_stays_as_stored(
    shop: Shop, table: DomainTable, rows: list[dict[str, Any]], fewer: list[dict[str, Any]]
) -> None:
    """A held set changes nothing: its good rows are rejected, and the next whole set replaces the stored one."""
    shop.load(shop.sets_load(table, [Set(7, 1, rows, 1)]))
    before = shop.rows(table, "*, _run")
    held = shop.one(shop.sets_load(table, [Set(7, 2, fewer, 2, held=True)], errors=1))
    assert held == Counters(read=2, rejected=1, errors=1)
    assert shop.rows(table, "*, _run") == before
    assert shop.one(shop.sets_load(table, [Set(7, 2, fewer, 2)])) == Counters(read=1, updated=1, deleted=1)
    assert shop.one(shop.sets_load(table, [Set(7, 3, [], 3)])) == Counters(deleted=1)
    assert shop.one(shop.sets_load(table, [Set(7, 2, rows, 4)])) == Counters(read=2, rejected=2)


def test_a_row_that_moves_to_another_parent_is_there_once(shop: Shop) -> None:
    """A key that turns up under another parent's newer set is updated; under an older one it is rejected."""
    for table in (LINE, ALLOCATION):
        rows = {parent: [line(1, parent) if table is LINE else allocation(1, 0)] for parent in (7, 8, 9)}
        shop.load(shop.sets_load(table, [Set(7, 5, rows[7])]))
        assert shop.one(shop.sets_load(table, [Set(8, 4, rows[8])])).rejected == 1
        moved = shop.one(shop.sets_load(table, [Set(9, 6, rows[9])]))
        assert (moved.inserted, moved.deleted, len(shop.rows(table))) == (0, 0, 1)
        assert shop.one(shop.sets_load(table, [Set(9, 7, [])])).deleted == 1


def test_a_whole_pull_deletes_what_is_absent(shop: Shop) -> None:
    """Absent rows go, with their families, and are remembered as deleted; a newer version of one brings it back."""
    shop.load(
        shop.rows_load(ORDER, [order(1), order(2)], fetched=1),
        shop.sets_load(LINE, [Set(1, 1, [line(1, 1)], 1), Set(2, 1, [line(2, 2)], 1)]),
        shop.sets_load(ALLOCATION, [Set(2, 1, [allocation(2, 0)], 1)]),
    )
    done = shop.load(
        shop.rows_load(ORDER, [order(2, 3)], fetched=2, whole=True),
        shop.sets_load(LINE, [Set(2, 3, [line(2, 2)], 2)], whole=True),
    )
    assert done.counters["order"] == Counters(read=1, updated=1, deleted=1)
    assert done.counters["order_line"] == Counters(read=1, unchanged=1, deleted=1)
    assert shop.ask("SELECT table_name, key FROM private.courier.deleted_record") == [("order", "1")]
    assert shop.one(shop.rows_load(ORDER, [order(1, 2)], fetched=3)).rejected == 1
    assert shop.one(shop.rows_load(ORDER, [order(1, 9)], fetched=4)).inserted == 1
    assert shop.ask("SELECT * FROM private.courier.deleted_record") == []


def test_a_whole_pull_of_children_removes_families_that_are_gone(shop: Shop) -> None:
    """A parent that a whole pull of its children did not answer for has no rows any more; a held one keeps them."""
    families = [Set(1, 1, [allocation(1, 0)], 1), Set(2, 1, [allocation(2, 0)], 1), Set(3, 1, [allocation(3, 0)], 1)]
    shop.load(shop.sets_load(ALLOCATION, families))
    news = [Set(1, 1, [allocation(1, 0)], 2), Set(2, 1, [], 2, held=True)]
    assert shop.one(shop.sets_load(ALLOCATION, news, whole=True)) == Counters(read=1, unchanged=1, deleted=1)
    assert shop.rows(ALLOCATION, "line_id") == [(1,), (2,)]


def test_absence_from_a_load_with_errors_deletes_nothing(shop: Shop) -> None:
    """A record in error may be any of the absent rows, so none of them is taken for deleted."""
    shop.load(shop.rows_load(PLACE, [{"id": 1}, {"id": 2}], fetched=1))
    assert shop.one(shop.rows_load(PLACE, [{"id": 1}], fetched=2, errors=1, whole=True)).deleted == 0


def test_truncate_replaces_the_table_and_an_unproven_zero_does_not(shop: Shop) -> None:
    """What a load brings is all there is; equal rows stay as stored; no rows at all empty a table only if proven."""
    shop.load(shop.rows_load(PLACE, [{"id": 1, "name": "a"}, {"id": 2}], load="truncate", fetched=1), run="first")
    rows: list[dict[str, Any]] = [{"id": 1, "name": "a"}, {"id": 3}]
    assert shop.one(shop.rows_load(PLACE, rows, load="truncate", fetched=2)) == Counters(
        read=2, inserted=1, unchanged=1, deleted=1
    )
    assert shop.rows(PLACE, "id, _run")[0] == (1, "first")
    assert shop.one(shop.rows_load(PLACE, [], load="truncate")).deleted == 0
    assert shop.one(shop.rows_load(PLACE, [], load="truncate", whole=True)).deleted == 2
    assert shop.one(shop.rows_load(PLACE, [{"id": 2}], load="truncate", fetched=2000)).inserted == 1


def test_a_delete_of_an_older_version_does_nothing(shop: Shop) -> None:
    """A delete event that arrives after the row was made anew leaves it."""
    shop.load(shop.rows_load(ORDER, [order(1, 5)]), shop.sets_load(LINE, [Set(1, 5, [line(1, 1)])]))
    assert shop.one(shop.rows_load(ORDER, [], deletes=shop.deletes({1: 4}))).deleted == 0
    assert len(shop.rows(LINE)) == 1
    done = shop.load(shop.rows_load(ORDER, [], deletes=shop.deletes({1: 6})), shop.sets_load(LINE, []))
    assert (done.counters["order"].deleted, done.counters["order_line"].deleted) == (1, 1)


def test_a_column_added_to_the_yaml_is_added_to_the_table(shop: Shop) -> None:
    """Rows of before have null in it, and the ledger says since when it is loaded, until a whole pull fills it."""
    shop.load(shop.rows_load(PLACE, [{"id": 1}, {"id": 2}]))
    wider = replace(PLACE, columns=(*PLACE.columns, column("city")))
    assert shop.load(shop.rows_load(wider, [{"id": 2, "city": "Lund"}], fetched=1)).changed
    assert shop.rows(wider, "id, city") == [(1, None), (2, "Lund")]
    status = "SELECT column_name, reason FROM private.courier.column_status"
    assert shop.ask(status) == [("city", "not_loaded_before")]
    shop.load(shop.rows_load(wider, [{"id": 2, "city": "Lund"}], fetched=2))
    assert shop.ask(status) == [("city", "not_loaded_before")]
    shop.load(shop.rows_load(wider, [{"id": 1, "city": "Oslo"}, {"id": 2, "city": "Lund"}], fetched=3, whole=True))
    assert shop.ask(status) == []


def test_a_column_lost_from_the_yaml_keeps_its_values(shop: Shop) -> None:
    """It is left out of new rows; an updated row keeps what it had."""
    shop.load(shop.rows_load(ORDER, [order(1)]))
    narrow = replace(ORDER, columns=tuple(c for c in ORDER.columns if c.name != "email"))
    shop.load(shop.rows_load(narrow, [order(1, 2), order(2)]))
    assert shop.rows(ORDER, "id, email, updated_at") == [(1, "1@example.com", at(2)), (2, None, at(1))]


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLACE, columns=(PLACE.columns[0], column("name", "integer"), PLACE.columns[2])),
        replace(PLACE, primary_key=("id", "name")),
    ],
    ids=["type", "key"],
)
def test_a_change_that_would_spoil_rows_is_refused(shop: Shop, changed: DomainTable) -> None:
    """Another type or key of a table with rows ends the run with exit code 3; an empty table is made anew."""
    shop.load(shop.rows_load(PLACE, []))
    shop.load(shop.rows_load(changed, []))
    shop.load(shop.rows_load(PLACE, [{"id": 1, "name": "a"}]))
    with pytest.raises(ConfigurationError, match=r"domain_tables/shop/place\.yaml") as caught:
        shop.load(shop.rows_load(changed, []), run="changed")
    assert caught.value.exit_code == 3 and caught.value.fix
    assert not ledger.committed(shop.warehouse, "changed")


def test_a_family_survives_the_loss_of_its_parent_column(shop: Shop) -> None:
    """If the YAML drops the column that told a row's parent, stored families can still be replaced."""
    shop.load(shop.sets_load(LINE, [Set(7, 1, [line(1, 7), line(2, 7)])]))
    narrow = replace(LINE, columns=tuple(c for c in LINE.columns if c.name != "order_id"))
    counters = shop.one(shop.sets_load(narrow, [Set(7, 2, [{"id": 1, "title": "b"}])]))
    assert counters == Counters(read=1, updated=1, deleted=1)
    assert shop.one(shop.sets_load(narrow, [Set(7, 3, [])])).deleted == 1


def test_the_ledger_describes_the_tables(shop: Shop) -> None:
    """Tags with their type and pii, statuses and keys stand in the ledger; describing anew changes nothing."""
    hidden = replace(column("token", unavailable="not_in_graphql"), sources=())
    table = replace(ORDER, columns=(*ORDER.columns, hidden))
    statuses = (ColumnStatus("order", "email", "scope_missing:read_customers", "Grant it."),)
    shop.load(shop.rows_load(table, [order(1)]), statuses=statuses)
    assert shop.ask("FROM private.courier.semantic_tag") == [(SCHEMA, "order", "email", "email", "string", True)]
    found = shop.ask("SELECT column_name, reason FROM private.courier.column_status")
    assert found == [("email", "scope_missing:read_customers"), ("token", "not_in_graphql")]
    assert shop.ask("SELECT primary_key, last_updated FROM private.courier.domain_table") == [(["id"], "updated_at")]
    assert not shop.load(shop.rows_load(table, [order(1)], fetched=1), statuses=statuses).changed
    shop.load(shop.rows_load(table, []))
    assert ("email", "not_loaded_before") in shop.ask("SELECT column_name, reason FROM private.courier.column_status")


def test_a_column_that_can_never_be_had_is_said_once(shop: Shop) -> None:
    """The YAML and the connector both say so; the connector's reason comes with a detail."""
    hidden = replace(column("token", unavailable="not_in_graphql"), sources=())
    statuses = (ColumnStatus("order", "token", "not_in_graphql", "No such field."),)
    shop.load(shop.rows_load(replace(ORDER, columns=(*ORDER.columns, hidden)), [order(1)]), statuses=statuses)
    found = shop.ask("SELECT column_name, reason, detail FROM private.courier.column_status")
    assert found == [("token", "not_in_graphql", "No such field.")]


def loads(shop: Shop, fetched: int, title: str = "a", updated: int = 1, **more: Any) -> list[FeedLoad]:
    return [
        shop.rows_load(ORDER, [order(1, updated)], fetched=fetched, **more),
        shop.sets_load(LINE, [Set(1, 1, [line(1, 1, title)], fetched), Set(2, 1, [], fetched)]),
        shop.sets_load(ALLOCATION, [Set(1, 1, [], fetched)]),
        shop.rows_load(PLACE, [{"id": 1}], fetched=fetched, load="truncate"),
    ]


def test_preview_tells_which_feeds_have_news(filed: Shop) -> None:
    """The feeds whose load changes something, and the children of newer parents; at first, all."""
    assert preview(filed.files, SCHEMA, loads(filed, 1)) == {
        "order",
        "order_line",
        "allocation",
        "place",
    }
    filed.load(*loads(filed, 1))
    assert preview(filed.files, SCHEMA, loads(filed, 2)) == set()
    assert preview(filed.files, SCHEMA, loads(filed, 2, title="b", updated=2)) == {
        "order",
        "order_line",
        "allocation",
    }
    assert preview(filed.files, SCHEMA, loads(filed, 2, title="b")) == {"order_line"}
    assert preview(filed.files, SCHEMA, loads(filed, 2, deletes=filed.deletes({1: 1}))) == {"order"}
    emptied = [
        filed.sets_load(LINE, [Set(1, 1, [], 2)]),
        filed.sets_load(ALLOCATION, [Set(2, 1, [], 2)]),
    ]
    assert preview(filed.files, SCHEMA, emptied) == {"order_line", "allocation"}
    gone = [filed.rows_load(ORDER, [], whole=True), filed.rows_load(PLACE, [{"id": 2}], fetched=2)]
    assert preview(filed.files, SCHEMA, gone) == {"order", "place"}
    assert preview(filed.files, SCHEMA, [filed.rows_load(ORDER, [order(1, 0)])]) == set()
