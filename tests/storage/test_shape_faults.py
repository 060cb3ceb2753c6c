"""What shaping makes of records that do not hold: an error each, with place, shape and reason, never the value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from courier.errors import RunFailed
from courier.storage.selection import Computed

from .shaping import (
    ALLOCATION,
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

SECRET = "Zaphod"
FILE = "raw/Order/Order-00001.jsonl"


def one_value(tmp_path: Path, kind: str, value: Any, sql: str | None = None) -> list[tuple[str, int, str, str, str]]:
    checked = table("t", "Order", ["id"], column("id", "integer", "legacyResourceId"), column("value", kind, sql=sql))
    made = shaped(tmp_path, {"Order": [order(0, value=None), order(1, value=value)]}, [checked])
    assert made.shaped["t"].read == 2
    assert [row["id"] for row in made.rows("t")] == [1000]
    return made.errors("t")


@pytest.mark.parametrize(
    ("kind", "value", "shape", "reason"),
    [
        ("integer", "1.9", "number", "is not an integer of 64 bits"),
        ("integer", 1.5, "number", "is not an integer of 64 bits"),
        ("integer", "9007199254740993.4", "number", "is not an integer of 64 bits"),
        ("integer", "15e-1", "number", "is not an integer of 64 bits"),
        ("integer", 2**63, "number", "is not an integer of 64 bits"),
        ("integer", "0x1F", "text of 4 characters", "is not an integer of 64 bits"),
        ("integer", "1_000", "text of 5 characters", "is not an integer of 64 bits"),
        ("integer", "", "text of 0 characters", "is not an integer of 64 bits"),
        ("integer", True, "text of 4 characters", "is not an integer of 64 bits"),
        ("decimal", "12.34567", "number", "is not a number that DECIMAL(19,4) holds without losing digits"),
        ("decimal", "1e-9", "number", "is not a number that DECIMAL(19,4) holds without losing digits"),
        ("decimal", "1" * 16, "number", "is not a number that DECIMAL(19,4) holds without losing digits"),
        ("decimal", "12,50", "text of 5 characters", "is not a number that DECIMAL(19,4) holds without losing digits"),
        ("decimal(9,0)", "1.5", "number", "is not a number that DECIMAL(9,0) holds without losing digits"),
        ("float", "infinity", "text of 8 characters", "is not a finite number"),
        ("float", "1e999", "number", "is not a finite number"),
        ("boolean", 1, "number", "is neither true nor false"),
        ("boolean", "True", "text of 4 characters", "is neither true nor false"),
        ("date", "2026-02-30", "text of 10 characters", "is not a date (YYYY-MM-DD)"),
        ("date", "2026-02-03T04:05:06Z", "text of 20 characters", "is not a date (YYYY-MM-DD)"),
        ("datetime", "infinity", "text of 8 characters", "is not an instant (RFC 3339)"),
        ("datetime", "today", "text of 5 characters", "is not an instant (RFC 3339)"),
        ("datetime", "2026-13-01T00:00:00Z", "text of 20 characters", "is not an instant (RFC 3339)"),
        ("string", {"a": SECRET}, "object", "a single value is expected there: value"),
        ("string", ["a", SECRET], "list of 2", "a single value is expected there: value"),
        ("integer", SECRET, "text of 6 characters", "is not an integer of 64 bits"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_told_by_shape(
    tmp_path: Path, kind: str, value: Any, shape: str, reason: str
) -> None:
    assert one_value(tmp_path, kind, value) == [(FILE, 2, "value", shape, reason)]


def test_sql_that_fails_on_a_row_puts_that_row_aside(tmp_path: Path) -> None:
    assert one_value(tmp_path, "string", SECRET, "$1::date") == [
        (FILE, 2, "value", "text of 6 characters", "its sql fails on this value")
    ]
    assert one_value(tmp_path / "2", "integer", "7.5", "$1") == [
        (FILE, 2, "value", "number", "is not an integer of 64 bits")
    ]


def test_a_list_without_sql_is_no_text(tmp_path: Path) -> None:
    checked = table("t", "Order", [], column("tags", "string", "tags"))
    made = shaped(tmp_path, {"Order": [order(0, tags=[SECRET])]}, [checked])
    assert [(error[2], error[3]) for error in made.errors("t")] == [("tags", "list of 1")]


def test_a_key_that_is_null_is_an_error(tmp_path: Path) -> None:
    made = shaped(tmp_path, {"Order": [order(0, legacyResourceId=None), order(1)]}, [ORDER])
    assert made.errors("order") == [(FILE, 1, "id", "null", "is null, and is part of the primary key")]


def test_the_line_is_that_of_the_record_also_in_a_later_file(tmp_path: Path) -> None:
    orders = [order(n, legacyResourceId="x" if n in (0, 17, 33) else str(n)) for n in range(40)]
    made = shaped(tmp_path, {"Order": orders}, [ORDER], segment_bytes=2000)
    raw = tmp_path / "run"
    for error in made.shaped["order"].errors:
        line = (raw / error.file).read_bytes().splitlines()[error.line - 1]
        assert orjson.loads(line)["legacyResourceId"] == "x"
    assert len({(error.file, error.line) for error in made.shaped["order"].errors}) == 3


BROKEN = [
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","name":"\\ud800"}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","name":"\xff"}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","name":"a","name":"b"}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","name":',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","name":'
    + b"[" * 200
    + b"]" * 200
    + b"}\n",
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","totalSet":[1]}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","totalSet":{"shopMoney":"1"}}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","tags":"a"}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","tags":[{"a":1}]}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":{"a":1}}\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1"} {}\n',
    b'{"__record":1,"__fetchedAt":"yesterday","legacyResourceId":"1"}\n',
    b'{"__record":1,"legacyResourceId":"1"}\n',
    b'{"__record":1.5,"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","tags":7}\n',
    b'{"__fetchedAt":"2026-11-20T06:30:00Z","legacyResourceId":"1","tags":7}\n',
    b"[1]\n",
    b'"x"\n',
    b'{"__record":1,"__fetchedAt":"2026-11-20T06:30:00Z","name":"' + b"x" * 17_000_000 + b'"}\n',
]


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
def test_a_line_that_cannot_be_read_is_one_error_and_the_rest_is_shaped(tmp_path: Path, line: bytes) -> None:
    made = shaped(tmp_path, {"Order": [order(0)]}, [ORDER], raw_lines={"Order": [line]})
    assert [row["id"] for row in made.rows("order")] == [1000]
    assert [error[:2] for error in made.errors("order")] == [(FILE, 2)]
    assert made.shaped["order"].read == 2


def test_a_root_line_that_cannot_be_read_takes_its_sets_with_it(tmp_path: Path) -> None:
    """Its children are errors, its set does not appear, and what is stored stays."""
    lines = [below(0, 0, quantity=1), below(1, 0, quantity=1), below(1, 1, quantity=1)]
    streams = {"Order": [order(0, tags=["a"])], "Order.lineItems": lines}
    made = shaped(tmp_path, streams, raw_lines={"Order": [BROKEN[0]]})
    assert [row["_parent"] for row in made.sets("order_line")] == [1000]
    assert made.sets("order_line")[0]["_held"] is False
    reason = "its order could not be read"
    file = "raw/Order/Order.lineItems-00001.jsonl"
    assert made.errors("order_line") == [(file, 2, "", "", reason), (file, 3, "", "", reason)]
    assert made.shaped["order_line"].read == 3
    assert [(error[0], error[1]) for error in made.errors("order_tags")] == [(FILE, 2)]
    assert made.shaped["order_tags"].read == 2


def test_a_root_whose_own_identity_fails_has_no_sets(tmp_path: Path) -> None:
    orders = [
        order(0),
        order(1, updatedAt="never"),
        order(2, legacyResourceId=None),
        order(3, legacyResourceId={"a": 1}),
    ]
    lines = [below(n, 0, quantity=1) for n in range(4)]
    made = shaped(tmp_path, {"Order": orders, "Order.lineItems": lines}, [LINE])
    assert [row["order_id"] for row in made.rows("order_line")] == [1000]
    assert [row["_parent"] for row in made.sets("order_line")] == [1000]
    assert len(made.errors("order_line")) == 3


def test_a_child_without_a_root_is_an_error(tmp_path: Path) -> None:
    lines = [below(0, 0, quantity=1), below(9, 0, quantity=1)]
    made = shaped(tmp_path, {"Order": [order(0)], "Order.lineItems": lines}, [LINE])
    assert [error[1] for error in made.errors("order_line")] == [2]


@pytest.mark.parametrize("bad", [{"quantity": "many"}, {"id": None}, {"id": ["x"]}, {"quantity": {"a": 1}}])
def test_a_child_in_error_holds_its_family(tmp_path: Path, bad: dict[str, Any]) -> None:
    lines = [below(0, 0, quantity=1), {**below(0, 1), **bad}, below(1, 0, quantity=1)]
    made = shaped(tmp_path, {"Order": [order(0), order(1)], "Order.lineItems": lines}, [LINE])
    assert [row["_held"] for row in made.sets("order_line")] == [True, False]
    assert len(made.rows("order_line")) == 2
    assert [error[1] for error in made.errors("order_line")] == [2]


def test_a_child_line_that_says_no_record_holds_every_family(tmp_path: Path) -> None:
    streams = {"Order": [order(0), order(1)], "Order.lineItems": [below(0, 0, quantity=1)]}
    made = shaped(tmp_path, streams, [LINE], raw_lines={"Order.lineItems": [b"\x00\x00\x00\n"]})
    assert [row["_held"] for row in made.sets("order_line")] == [True, True]


def test_a_list_of_another_shape_holds_only_the_feed_that_reads_it(tmp_path: Path) -> None:
    lines = [below(0, 0, quantity=1, allocations={"a": 1}), below(1, 0, quantity=1, allocations=[{"amountSet": 5}])]
    made = shaped(tmp_path, {"Order": [order(0), order(1)], "Order.lineItems": lines}, [LINE, ALLOCATION])
    assert made.errors("order_line") == []
    assert [row["_held"] for row in made.sets("order_line")] == [False, False]
    assert [row["_held"] for row in made.sets("allocation")] == [True, True]
    assert [(error[1], error[2], error[3]) for error in made.errors("allocation")] == [
        (1, "amount", "object"),
        (2, "amount", "number"),
    ]


def test_the_elements_of_one_line_fail_one_by_one(tmp_path: Path) -> None:
    allocations = [{"amountSet": {"amount": amount}} for amount in ("1", "x", "2", "y")]
    made = shaped(
        tmp_path, {"Order": [order(0)], "Order.lineItems": [below(0, 0, allocations=allocations)]}, [ALLOCATION]
    )
    assert made.shaped["allocation"].read == 4
    assert [row["position"] for row in made.rows("allocation")] == [0, 2]
    assert [(error[1], error[2]) for error in made.errors("allocation")] == [(1, "amount")] * 2


def test_a_tag_that_is_null_is_an_error_of_its_order_only(tmp_path: Path) -> None:
    made = shaped(tmp_path, {"Order": [order(0, tags=["a", None]), order(1, tags=["b"])]}, [TAG])
    assert [row["_held"] for row in made.sets("order_tags")] == [True, False]
    assert made.errors("order_tags") == [(FILE, 1, "value", "null", "is null, and is part of the primary key")]


def test_a_record_between_root_and_row_that_cannot_be_read_holds_the_family(tmp_path: Path) -> None:
    refunds = [below(0, 0, id="R0", legacyResourceId="7"), below(1, 0, id="R1", legacyResourceId={"no": 1})]
    lines = [below(0, 0, "R0", id="5"), below(1, 0, "R1", id="6")]
    streams = {"Order": [order(0), order(1)], "Order.refunds": refunds, "Order.refunds.lines": lines}
    made = shaped(tmp_path, streams, [REFUND_LINE])
    assert [row["id"] for row in made.rows("refund_line")] == [5]
    assert [row["_held"] for row in made.sets("refund_line")] == [False, True]
    assert len(made.errors("refund_line")) == 1


SUM = (
    'SELECT "__record", sum(TRY_CAST(quantity AS BIGINT) + coalesce(length(weight.value), 0)) AS result '
    "FROM {Order.lineItems} GROUP BY 1"
)


def summed(sql: str) -> Computed:
    return Computed(
        "items", "Order", ("Order.lineItems[].quantity", "Order.lineItems[].weight.value"), sql, "How many."
    )


ITEMS = table(
    "t", "Order", ["id"], column("id", "integer", "legacyResourceId"), column("n", "integer", "computed.items")
)


def test_a_computed_value_over_a_line_that_cannot_be_read_is_not_told(tmp_path: Path) -> None:
    lines = [below(0, 0, quantity=1), below(1, 0, quantity=1), below(1, 1, quantity=1, weight=[SECRET])]
    made = shaped(tmp_path, {"Order": [order(0), order(1)], "Order.lineItems": lines}, [ITEMS], computed=[summed(SUM)])
    assert [row["n"] for row in made.rows("t")] == [1]
    assert made.errors("t") == [(FILE, 2, "", "", "a value of it rests on a line that could not be read")]


def test_a_computed_value_that_fails_ends_the_run_without_the_value(tmp_path: Path) -> None:
    streams = {"Order": [order(0)], "Order.lineItems": [below(0, 0, quantity=SECRET)]}
    with pytest.raises(RunFailed) as failed:
        shaped(tmp_path, streams, [ITEMS], computed=[summed(SUM.replace("TRY_CAST", "CAST"))])
    assert SECRET not in failed.value.message
    assert failed.value.__suppress_context__


def test_a_pick_from_a_line_that_cannot_be_read_is_not_null(tmp_path: Path) -> None:
    picking = table(
        "t",
        "Order",
        ["id"],
        column("id", "integer", "legacyResourceId"),
        column("weight", "float", "lineItems[0].weight.value"),
    )
    lines = [below(0, 0, weight={"value": 1}), below(1, 0, weight=[SECRET])]
    made = shaped(tmp_path, {"Order": [order(0), order(1)], "Order.lineItems": lines}, [picking])
    assert [row["weight"] for row in made.rows("t")] == [1.0]
    assert [error[1] for error in made.errors("t")] == [2]


@pytest.mark.parametrize("expression", ["(SELECT content FROM read_text('/etc/hostname'))", "(SELECT 1)", "*", "$2"])
def test_sql_that_got_past_the_check_is_refused_again(tmp_path: Path, expression: str) -> None:
    checked = table("t", "Order", [], column("name", "string", "name", sql=expression))
    with pytest.raises(Exception, match="sql"):
        shaped(tmp_path, {"Order": [order(0)]}, [checked])


def test_two_feeds_of_one_request_do_not_share_errors(tmp_path: Path) -> None:
    other = replace(ORDER, name="plain", columns=(ORDER.columns[0], ORDER.columns[1]), last_updated=None)
    made = shaped(tmp_path, {"Order": [order(0, totalSet="12"), order(1)]}, [ORDER, other])
    assert len(made.errors("order")) == 1
    assert made.errors("plain") == []
    assert len(made.rows("plain")) == 2
