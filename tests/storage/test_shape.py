"""What shaping makes of good records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from courier.config.project import Column, ColumnType, Feed
from courier.errors import ConfigurationError, Incomplete
from courier.storage.duck import connect, read_parquet
from courier.storage.raw import Layout, RawWriter
from courier.storage.selection import Computed
from courier.storage.shape import shape, shape_deletes, shaping

from .shaping import (
    ALLOCATION,
    LAYOUT,
    LINE,
    ORDER,
    REFUND_LINE,
    TAG,
    below,
    column,
    order,
    shaped,
    table,
)

INSTANT = datetime(2026, 11, 20, 6, 30, 0, 123456, tzinfo=UTC)
UPDATED = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)


def test_root_rows_have_the_tables_columns_in_order_and_the_instant(tmp_path: Path) -> None:
    made = shaped(tmp_path, {"Order": [order(0, tags=["a", "b"])]}, [ORDER])
    assert made.rows("order") == [
        {
            "id": 1000,
            "name": "#0",
            "total": Decimal("12.3400"),
            "tags": ["a", "b"],
            "updated_at": UPDATED,
            "_fetched_at": INSTANT,
        }
    ]
    assert list(made.rows("order")[0]) == ["id", "name", "total", "tags", "updated_at", "_fetched_at"]
    assert made.shaped["order"].read == 1


def test_types_are_exact(tmp_path: Path) -> None:
    """Every column type is the DuckDB type that its name stands for, also for a column that can have no value."""
    kinds = ["boolean", "date", "datetime", "decimal", "decimal(9,2)", "float", "integer", "string", "string[]"]
    columns = [
        column(f"c{n}", kind, f"f{n}", sql="$1[:1]" if kind.endswith("]") else None) for n, kind in enumerate(kinds)
    ]
    columns[8] = column("c8", "string[]", "f8[]")
    gone = Column("gone", ColumnType("decimal"), (), unavailable="not_in_graphql")
    made = shaped(tmp_path, {"Order": [order(0)]}, [table("t", "Order", [], *columns, gone)])
    with connect() as connection:
        described = connection.execute(f"DESCRIBE FROM {read_parquet(made.shaped['t'].rows)}").fetchall()
    assert [row[1] for row in described] == [
        "BOOLEAN",
        "DATE",
        "TIMESTAMP WITH TIME ZONE",
        "DECIMAL(19,4)",
        "DECIMAL(9,2)",
        "DOUBLE",
        "BIGINT",
        "VARCHAR",
        "VARCHAR[]",
        "DECIMAL(19,4)",
        "TIMESTAMP WITH TIME ZONE",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", "9007199254740993", 9007199254740993),
        ("integer", 9007199254740993, 9007199254740993),
        ("integer", "1.0", 1),
        ("integer", 1.0, 1),
        ("integer", "007", 7),
        ("integer", 1e3, 1000),
        ("integer", "1e3", 1000),
        ("decimal", "0.0", Decimal("0.0000")),
        ("decimal", "11884.9", Decimal("11884.9000")),
        ("decimal", "123456789012345.6789", Decimal("123456789012345.6789")),
        ("decimal", "1.230000", Decimal("1.2300")),
        ("decimal", "-5", Decimal("-5.0000")),
        ("decimal", "1.5E+1", Decimal("15.0000")),
        ("decimal", 0.1, Decimal("0.1000")),
        ("float", "12.5", 12.5),
        ("float", 1e300, 1e300),
        ("boolean", True, True),
        ("boolean", "false", False),
        ("date", "2024-02-29", datetime(2024, 2, 29).date()),
        ("datetime", "2026-11-20T07:00:00+02:00", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("datetime", "2026-11-20T07:00:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        ("string", "a\u0000b 😀 'quoted' \"twice\" \\ \n", "a\u0000b 😀 'quoted' \"twice\" \\ \n"),
        ("string", "x" * 1_000_000, "x" * 1_000_000),
        ("string", "", ""),
        ("string", "[urgent] call", "[urgent] call"),
        ("string", '{"a": 1}', '{"a": 1}'),
        ("string", "[1]", "[1]"),
        ("string", 5, "5"),
        *((kind, None, None) for kind in ("integer", "decimal", "float", "boolean", "date", "datetime", "string")),
    ],
)
def test_values_come_through_exactly(tmp_path: Path, kind: str, value: Any, expected: Any) -> None:
    checked = table("t", "Order", ["id"], column("id", "integer", "legacyResourceId"), column("value", kind))
    made = shaped(tmp_path, {"Order": [order(0, value=value)]}, [checked])
    assert [row["value"] for row in made.rows("t")] == [expected]
    assert made.shaped["t"].errors == ()


def test_children_know_their_set_their_parent_and_what_they_climb_to(tmp_path: Path) -> None:
    lines = [below(1, 0, quantity=2), below(1, 1, quantity="3"), below(0, 0, quantity=1)]
    made = shaped(tmp_path, {"Order": [order(0), order(1), order(2)], "Order.lineItems": lines}, [LINE], ordinal=3)
    base = 3 << 40
    common = {"_fetched_at": INSTANT}
    assert made.rows("order_line") == [
        {"id": 0, "order_id": 1000, "quantity": 1, "position": 0, **common, "_set": base, "_parent": 1000},
        {"id": 100, "order_id": 1001, "quantity": 2, "position": 0, **common, "_set": base + 1, "_parent": 1001},
        {"id": 101, "order_id": 1001, "quantity": 3, "position": 1, **common, "_set": base + 1, "_parent": 1001},
    ]
    assert made.sets("order_line") == [
        {"_set": base + n, "_parent": 1000 + n, "_version": UPDATED, "_fetched_at": INSTANT, "_held": False}
        for n in range(3)
    ]


def test_elements_of_inline_lists_are_counted_from_zero(tmp_path: Path) -> None:
    allocations = [{"amountSet": {"amount": "1.5"}}, {"amountSet": {"amount": None}}]
    lines = [below(0, 0, allocations=allocations), below(0, 1, allocations=None), below(0, 2, allocations=[])]
    made = shaped(tmp_path, {"Order": [order(0)], "Order.lineItems": lines}, [ALLOCATION])
    found = [(row["line_id"], row["order_name"], row["position"], row["amount"]) for row in made.rows("allocation")]
    assert found == [(0, "#0", 0, Decimal("1.5000")), (0, "#0", 1, None)]
    assert made.shaped["allocation"].read == 2


def test_a_list_of_texts_gives_a_row_each_and_a_set_also_when_empty(tmp_path: Path) -> None:
    made = shaped(tmp_path, {"Order": [order(0, tags=["b", "a"]), order(1), order(2, tags=None)]}, [TAG])
    assert [(row["order_id"], row["value"]) for row in made.rows("order_tags")] == [(1000, "a"), (1000, "b")]
    assert [row["_parent"] for row in made.sets("order_tags")] == [1000, 1001, 1002]


def test_a_stream_two_levels_down_finds_its_parent_by_id(tmp_path: Path) -> None:
    refunds = [below(0, n, id=f"R{n}", legacyResourceId=str(70 + n)) for n in range(2)]
    lines = [below(0, 0, "R1", id="5"), below(0, 0, "R0", id="6")]
    streams = {"Order": [order(0)], "Order.refunds": refunds, "Order.refunds.lines": lines}
    found = [
        (row["id"], row["refund_id"], row["order_id"])
        for row in shaped(tmp_path, streams, [REFUND_LINE]).rows("refund_line")
    ]
    assert found == [(5, 71, 1000), (6, 70, 1000)]


def test_picks_reach_into_lists_and_into_streams(tmp_path: Path) -> None:
    picking = table(
        "t",
        "Order",
        ["id"],
        column("id", "integer", "legacyResourceId"),
        column("first", "string", "options[0].value"),
        column("third", "string", "options[2].value"),
        column("second_line", "integer", "lineItems[1].quantity"),
    )
    orders = [order(0, options=[{"value": "a"}, {"value": "b"}]), order(1, options=None)]
    lines = [below(0, n, quantity=n + 10) for n in range(3)]
    made = shaped(tmp_path, {"Order": orders, "Order.lineItems": lines}, [picking])
    found = [(row["id"], row["first"], row["third"], row["second_line"]) for row in made.rows("t")]
    assert found == [(1000, "a", None, 11), (1001, None, None, None)]


def test_sql_sees_texts_lists_and_every_source_under_its_own_number(tmp_path: Path) -> None:
    names = [f"f{n}" for n in range(1, 12)]
    made_by = "concat_ws('|', $1, $10, $11, '$1', '$2', \"upper\"($2))"
    columns = [
        column("id", "integer", "legacyResourceId"),
        column("all", "string", *names, sql=made_by),
        column("joined", "string", "tags", sql="array_to_string($1, ', ')"),
        column("upper", "string[]", "tags", sql="list_transform($1, lambda x: upper(x))"),
        column("grams", "integer", "weight", sql="round($1::double * 1000)"),
        column("word", "boolean", "name", sql="$1 = '#0'"),
    ]
    given = order(0, tags=["a", "b"], weight=1.5, **{name: f"v{n}" for n, name in enumerate(names, 1)})
    row = shaped(tmp_path, {"Order": [given]}, [table("t", "Order", ["id"], *columns)]).rows("t")[0]
    assert row["all"] == "v1|v10|v11|$1|$2|V2"
    assert (row["joined"], row["upper"], row["grams"], row["word"]) == ("a, b", ["A", "B"], 1500, True)


TOTAL = Computed(
    "total",
    "Order",
    ("Order.lineItems[].amountSet.amount",),
    'SELECT o."__record", coalesce(sum(l.amountSet.amount::DECIMAL(19,4)), 0) AS result '
    'FROM {Order} o LEFT JOIN {Order.lineItems} l ON l."__record" = o."__record" GROUP BY ALL',
    "The sum of the lines.",
)
LENGTH = Computed(
    "length",
    "Order.tags[]",
    ("Order.tags[]",),
    'SELECT DISTINCT "__record", key, length(key) AS result FROM (SELECT "__record", unnest(tags) AS key FROM {Order})',
    "How long the tag is.",
)


def test_computed_values_are_joined_by_record_and_by_value(tmp_path: Path) -> None:
    totals = table(
        "t", "Order", ["id"], column("id", "integer", "legacyResourceId"), column("v", "decimal", "computed.total")
    )
    lengths = replace(TAG, columns=(*TAG.columns, column("n", "integer", "computed.length")))
    lines = [below(0, n, amountSet={"amount": f"{n}.25"}) for n in range(2)]
    streams = {"Order": [order(0, tags=["aaa", "b"]), order(1)], "Order.lineItems": lines}
    made = shaped(tmp_path, streams, [totals, lengths], computed=[TOTAL, LENGTH])
    assert [row["v"] for row in made.rows("t")] == [Decimal("1.5000"), Decimal("0.0000")]
    assert [(row["value"], row["n"]) for row in made.rows("order_tags")] == [("aaa", 3), ("b", 1)]


def test_a_computed_value_over_a_stream_without_lines_is_that_of_no_lines(tmp_path: Path) -> None:
    totals = table(
        "t", "Order", ["id"], column("id", "integer", "legacyResourceId"), column("v", "decimal", "computed.total")
    )
    made = shaped(tmp_path, {"Order": [order(0)]}, [totals], computed=[TOTAL])
    assert [row["v"] for row in made.rows("t")] == [Decimal("0.0000")]


def test_a_computed_value_that_nobody_publishes_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"computed\.total"):
        shaped(tmp_path, {}, [table("t", "Order", [], column("v", "decimal", "computed.total"))])


def test_nothing_fetched_is_nothing_shaped(tmp_path: Path) -> None:
    made = shaped(tmp_path, {})
    assert {(one.read, one.rows, one.sets, one.errors) for one in made.shaped.values()} == {(0, (), (), ())}


def test_many_files_of_a_stream_are_one_table(tmp_path: Path) -> None:
    lines = [below(n, 0, quantity=n) for n in range(50)]
    orders = [order(n) for n in range(50)]
    made = shaped(tmp_path, {"Order": orders, "Order.lineItems": lines}, segment_bytes=1000)
    assert len(list((tmp_path / "run/raw/Order").glob("Order-*.jsonl"))) > 5
    assert [row["id"] for row in made.rows("order")] == list(range(1000, 1050))
    assert [row["quantity"] for row in made.rows("order_line")] == list(range(50))


def test_what_is_written_is_for_its_owner_only_and_nothing_else_stays(tmp_path: Path) -> None:
    made = shaped(tmp_path, {"Order": [order(0)], "Order.lineItems": [below(0, 0, quantity=1)]}, [LINE])
    out = tmp_path / "run" / "shaped"
    assert out.stat().st_mode & 0o777 == 0o700
    written = [*made.shaped["order_line"].rows, *made.shaped["order_line"].sets]
    assert sorted(out.iterdir()) == sorted(written)
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


def test_fields_that_no_column_names_are_told_once(tmp_path: Path) -> None:
    lines = [below(0, 0, quantity=1, colour="red", allocations=[{"amountSet": {"amount": "1", "rate": 2}}])]
    streams = {"Order": [order(0, surprise=1), order(1, surprise=1)], "Order.lineItems": lines}
    made = shaped(tmp_path, streams, [LINE, ORDER, ALLOCATION])
    assert made.shaped["order"].unknown_fields == ("Order.surprise",)
    assert made.shaped["order_line"].unknown_fields == (
        "Order.lineItems.colour",
        "Order.lineItems.allocations.amountSet.rate",
    )
    assert made.shaped["allocation"].unknown_fields == ()


def test_a_folder_that_is_not_whole_is_not_shaped(tmp_path: Path) -> None:
    with RawWriter(tmp_path / "Order", LAYOUT) as writer:
        writer.checkpoint({})
    with pytest.raises(Incomplete):
        shape([Feed("order", ORDER)], {}, tmp_path / "Order", tmp_path / "out", (), 0)


def test_of_several_deletes_the_latest_counts(tmp_path: Path) -> None:
    events = [
        ("order", "1", "2026-01-02T00:00:00Z"),
        ("order", "1", "2026-01-03T00:00:00+01:00"),
        ("product", "1", "2026-01-01T00:00:00Z"),
    ]
    with RawWriter(tmp_path / "deletes", Layout(("Delete",))) as writer:
        writer.write("Delete", [{"feed": feed, "key": key, "deletedAt": at} for feed, key, at in events])
        writer.finish({})
    with shaping(tmp_path, tmp_path / "out") as connection:
        paths = shape_deletes(connection, tmp_path / "deletes", tmp_path / "out")
    with connect() as connection:
        found = connection.execute(f"SELECT feed, key, deleted_at FROM {read_parquet(paths)} ORDER BY ALL").fetchall()
    assert found == [
        ("order", "1", datetime(2026, 1, 2, 23, tzinfo=UTC)),
        ("product", "1", datetime(2026, 1, 1, tzinfo=UTC)),
    ]


def test_no_deletes_is_no_file_and_half_an_event_is_refused(tmp_path: Path) -> None:
    with RawWriter(tmp_path / "none", Layout(("Delete",))) as writer:
        writer.finish({})
    with RawWriter(tmp_path / "half", Layout(("Delete",))) as writer:
        writer.write("Delete", [{"feed": "order", "deletedAt": "2026-01-01T00:00:00Z"}])
        writer.finish({})
    with shaping(tmp_path, tmp_path / "out") as connection:
        assert shape_deletes(connection, tmp_path / "none", tmp_path / "out") == ()
        with pytest.raises(Incomplete):
            shape_deletes(connection, tmp_path / "half", tmp_path / "out")


def test_json_keeps_what_the_source_nests(tmp_path: Path) -> None:
    """A list of objects, an object, a number and null stay as sent; a text that is no JSON is a record in error.

    A child reads the same root, a string column beside it meets a list, and both are told as ever.
    """
    key = column("id", "integer", "legacyResourceId")
    kept = table("order", "Order", ["id"], key, column("notes", "json"), column("name", "string"))
    values = [[{"a": 'é"', "b": [1]}], {"c": None}, 7, None, "bare", '"text"']
    lines = [{**order(number), "notes": value} for number, value in enumerate(values)]
    lines.append({**order(9), "notes": [], "name": ["not", "a", "text"]})
    made = shaped(tmp_path, {"Order": lines}, [kept])
    found = {row["id"] - 1000: row["notes"] for row in made.rows("order")}
    assert found == {0: '[{"a":"é\\"","b":[1]}]', 1: '{"c":null}', 2: "7", 3: None, 5: '"text"'}
    errors = {(error.line, error.column, error.reason) for error in made.shaped["order"].errors}
    assert errors == {(5, "notes", "is not JSON"), (7, "name", "a single value is expected there: name")}
