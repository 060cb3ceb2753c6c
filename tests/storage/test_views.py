"""Views over the domain tables, and namespaces of metafields: what a commit keeps beside the rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from courier.config.project import DomainTable, Project, RowPath, View
from courier.storage.inspect import open_published, tables, views
from courier.storage.load import NamespaceCount
from courier.storage.namespaces import counted, notes
from courier.storage.postgres.database import Postgres
from courier.storage.views import check_views
from courier.storage.warehouse import publish
from tests.storage.loads import LINE, ORDER, PLACE, SCHEMA, Set, Shop, column

NOTE = DomainTable(
    "note", "domain_tables/shop/note.yaml", RowPath("Location", (("notes",),)), ("id",), (), parent="place"
)
NOTES = replace(NOTE, columns=(column("id", "integer"), column("place_id", "integer", "id", climb=1)))


def view(sql: str, name: str = "totals") -> View:
    return View(name, f"domain_tables/shop/{name}.sql", sql)


TOTALS = view('-- What orders\n-- come to.\nSELECT sum(total) AS total, count(*) AS orders FROM "order";\n')


def orders(shop: Shop, *totals: int) -> Shop:
    rows = [{"id": number, "total": total, "updated_at": "2026-01-01"} for number, total in enumerate(totals)]
    shop.load(shop.rows_load(ORDER, rows), views=(TOTALS,))
    return shop


def test_a_view_is_made_with_its_tables_and_published(filed: Shop) -> None:
    """It is there with the first rows, beside the tables, and no script that reads tables sees it."""
    publish(orders(filed, 3, 4).files)
    with open_published(filed.files.published) as connection:
        assert [one.table for one in tables(connection)] == [f"{SCHEMA}.order"]
        (found,) = (one for one in views(connection) if one.view.startswith(SCHEMA))
        assert (found.view, found.rows, found.meaning) == (f"{SCHEMA}.totals", 1, "What orders come to.")
        assert connection.execute(f"FROM {SCHEMA}.totals").fetchall() == [(7, 2)]


def test_a_view_waits_for_its_tables(shop: Shop) -> None:
    """Named tables that no feed has loaded yet: no view and no note; with them it is there."""
    lines = view('SELECT o.id, l.title FROM "order" o JOIN order_line l ON l.order_id = o.id', "lines")
    orders(shop, 1)
    assert shop.load(shop.rows_load(ORDER, []), views=(lines,)).notes == ()
    assert shop.ask(f"SELECT view_name, problem FROM private.courier.view WHERE schema_name = '{SCHEMA}'") == [
        ("lines", "order_line: not loaded by this courier")
    ]
    with_lines = [
        shop.rows_load(ORDER, []),
        shop.sets_load(LINE, [Set(0, 1, [{"id": 9, "order_id": 0, "title": "x"}])]),
    ]
    assert shop.load(*with_lines, views=(lines,)).changed
    assert shop.ask(f"FROM private.{SCHEMA}.lines") == [(0, "x")]


def test_a_broken_view_costs_no_row(shop: Shop) -> None:
    """The rows are committed, the note says which line is wrong, and the view that was there before is gone."""
    orders(shop, 1)
    broken = view('SELECT total,\n  nothing\nFROM "order"')
    loaded = shop.load(shop.rows_load(ORDER, [{"id": 8, "updated_at": "2026-01-01"}]), views=(broken,))
    assert loaded.counters["order"].inserted == 1
    (note,) = loaded.notes
    assert note.startswith("domain_tables/shop/totals.sql: the view is left out: line 2: ")
    assert shop.columns("totals") == []


def test_views_follow_their_files_and_tables(shop: Shop) -> None:
    """Nothing changed: nothing is made anew. A new column reaches `SELECT *`; a view whose file is gone goes."""
    everything = view('SELECT * FROM "order"')
    orders(shop, 1)
    assert shop.load(shop.rows_load(ORDER, []), views=(everything,)).changed
    assert not shop.load(shop.rows_load(ORDER, []), views=(everything,)).changed
    wider = replace(ORDER, columns=(*ORDER.columns, column("po_number")))
    shop.load(shop.rows_load(wider, []), views=(everything,))
    assert "po_number" in shop.columns("totals")
    assert shop.load(shop.rows_load(wider, [])).changed
    assert shop.columns("totals") == []


@pytest.mark.parametrize(
    ("sql", "line", "column_", "said"),
    [
        ("SELECT id FROM orders", 1, 16, "orders"),
        ('-- A\n\nSELECT id,\n  tottal FROM "order"', 4, 3, "tottal"),
        ("SELECT id\nFROM shop.order_line", 2, 6, "shop"),
        ('DELETE FROM "order"', 1, 1, "one SELECT"),
        ("SELECT 1; SELECT 2", 1, 1, "one SELECT"),
        ('SELECT id FRM "order"', 1, 15, "syntax error"),
        ("SELECT * FROM read_csv('/etc/passwd')", 1, 15, ""),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path: Path, sql: str, line: int, column_: int, said: str) -> None:
    """Before any run: unknown tables and columns, other schemas, other statements, files of this machine."""
    folders = {"shop": {"order": ORDER, "order_line": LINE}}
    project = Project(tmp_path, {}, {}, (), {}, folders, {"shop": (view(sql),)})
    (problem,) = check_views(project)
    assert (problem.rule, problem.line, problem.column) == ("view", line, column_)
    assert said in problem.message


def test_what_is_chosen_stored_and_seen(shop: Shop) -> None:
    """Runs add to what was seen, a pull of everything begins anew; chosen and empty ones are told."""
    load = shop.rows_load(NOTES, [], seen={"custom": 5, "reviews": 2})
    load = replace(load, feed=replace(load.feed, namespaces=("custom", "custmo")))
    found = counted(load, {"reviews": 7, "old": 1}, {"custom": 5})
    assert found == (
        NamespaceCount("custmo", True, 0, 0),
        NamespaceCount("custom", True, 5, 5),
        NamespaceCount("old", False, 0, 1),
        NamespaceCount("reviews", False, 0, 7),
    )
    assert [one.namespace for one in counted(replace(load, whole=True), {"old": 1}, {})] == [
        "custmo",
        "custom",
        "reviews",
    ]
    assert list(notes("shop", "note", found)) == [
        "note: no record in namespace `custmo`; the shop has custom (5), old (1), reviews (7)"
    ]


def test_sets_of_a_parent_without_versions(shop: Shop) -> None:
    """The later answer wins; a parent that is gone and there again has its set again."""

    def load(fetched: int, *ids: int, places: int = 1) -> None:
        whole = {"load": "truncate", "whole": True}
        rows = [{"id": number, "name": "x"} for number in range(places)]
        sets = [Set(0, None, [{"id": one, "place_id": 0} for one in ids], fetched)] if places else []
        other = Set(7, None, [], fetched)
        rows.append({"id": 7, "name": "y"})
        shop.load(
            shop.rows_load(PLACE, rows, fetched, **whole),
            shop.sets_load(NOTES, [*sets, other], PLACE, **whole),
        )

    load(1, 1, 2)
    load(2, 2, 3)
    assert shop.rows(NOTES) == [(2, 0), (3, 0)]
    load(3, places=0)
    assert shop.rows(NOTES) == []
    load(4, 5)
    assert shop.rows(NOTES) == [(5, 0)]


def test_temporary_tables_of_a_session_hide_nothing(database: str, tmp_path: Path) -> None:
    """A commit leaves some behind, and the next one of the session may make views of tables that are called alike."""
    kept = replace(PLACE, name="kept")
    seen = view("SELECT id FROM kept", "seen")
    with Postgres(database, "places at here").session() as session:
        for name in ("known", "kept"):
            session.native(f"CREATE TEMP VIEW {name} AS SELECT 0 AS nothing")
        shop = Shop(tmp_path, replace(Postgres(database, "places at here"), held=session))
        assert shop.load(shop.rows_load(kept, [{"id": 7}]), views=(seen,)).notes == ()
        assert shop.ask(f"SELECT id FROM {SCHEMA}.seen") == [(7,)]


def test_views_outlive_a_table_that_is_made_anew(shop: Shop) -> None:
    """A table without rows is dropped for one with another key, and in Postgres the views over it go with it."""
    shop.load(shop.rows_load(ORDER, []), views=(TOTALS,))
    by_email = replace(ORDER, primary_key=("id", "email"))
    shop.load(
        shop.rows_load(by_email, [{"id": 1, "email": "a@example.com", "total": 3, "updated_at": "2026-01-01"}]),
        views=(TOTALS,),
    )
    assert shop.ask(f"SELECT orders FROM private.{SCHEMA}.totals") == [(1,)]
    assert shop.ask("SELECT email FROM private.semantic.customer") == [("a@example.com",)]
