"""Bulk results: lines as the source wrote them, in any order, shaped like the same records from pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from courier.config.project import DomainTable
from courier.errors import Incomplete
from courier.storage.load import KEPT
from courier.storage.raw import Layout
from courier.storage.selection import Computed
from tests.storage.shaping import (
    ALLOCATION,
    FETCHED,
    LAYOUT,
    LINE,
    ORDER,
    REFUND_LINE,
    TAG,
    Made,
    below,
    column,
    order,
    shaped,
)

# A bulk result does not say at which place of its connection a record stood.
BULK_LINE = replace(LINE, columns=tuple(column for column in LINE.columns if column.name != "position"))
TABLES = (ORDER, BULK_LINE, ALLOCATION, TAG, REFUND_LINE)
BULK = replace(LAYOUT, fetched_at=FETCHED)
# With a value that has to be computed of other lines first, so that the orders' own are read twice.
COUNTED = Computed(
    "counted",
    "Order",
    ("Order.lineItems[].quantity",),
    'SELECT o."__record", count(l.quantity)::VARCHAR AS result '
    'FROM {Order} o LEFT JOIN {Order.lineItems} l ON l."__record" = o."__record" GROUP BY ALL',
    "how many lines say a quantity",
)
COUNTING = (replace(ORDER, columns=(*ORDER.columns, column("n", "integer", "computed.counted"))), *TABLES[1:])
Lines = dict[str, list[dict[str, Any]]]


def records(roll: Random, orders: int) -> Lines:
    """Orders with lines, allocations, tags, and refunds with lines, as pages bring them."""
    lines: Lines = {stream: [] for stream in LAYOUT.streams}
    for number in range(orders):
        gid = f"gid://shopify/Order/{number}"
        lines["Order"].append(order(number, tags=[f"t{tag}" for tag in range(roll.randrange(3))]))
        for index in range(roll.randrange(4)):
            amounts = [{"amountSet": {"amount": str(roll.randrange(100))}} for _ in range(roll.randrange(3))]
            lines["Order.lineItems"].append(below(number, index, quantity=roll.randrange(9), allocations=amounts))
        for index in range(roll.randrange(3)):
            refund = f"gid://shopify/Refund/{number}{index}"
            fields = {"id": refund, "legacyResourceId": f"{number}{index}"}
            lines["Order.refunds"].append({**below(number, index, gid), **fields})
            numbered = [{"id": f"9{number}{index}{place}"} for place in range(roll.randrange(3))]
            lines["Order.refunds.lines"] += [{**below(number, at, refund), **own} for at, own in enumerate(numbered)]
    return lines


def in_bulk(lines: Lines, roll: Random) -> Lines:
    """The same records without bookkeeping, shuffled."""
    dropped = {"__record", "__index", "__fetchedAt"}
    bare = {stream: [{k: v for k, v in one.items() if k not in dropped} for one in lines[stream]] for stream in lines}
    for found in bare.values():
        roll.shuffle(found)
    return bare


def told(made: Made, feed: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows and sets, without the numbers that sets have in one shaping only, and what rows keep for others."""
    plain = [[_bare(row) for row in rows] for rows in (made.rows(feed), made.sets(feed))]
    return sorted(plain[0], key=str), sorted(plain[1], key=str)


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "_set" and not name.startswith(KEPT)}


@pytest.mark.parametrize(("tables", "seed"), [*((TABLES, seed) for seed in range(4)), (COUNTING, 4), (COUNTING, 5)])
def test_bulk_and_pages_give_the_same_rows(tmp_path: Path, tables: Sequence[DomainTable], seed: int) -> None:
    """Law: however a bulk result's lines are ordered, its rows and sets are those of the same records in pages."""
    roll = Random(seed)
    lines = records(roll, 30)
    pages = shaped(tmp_path / "pages", lines, tables, computed=[COUNTED])
    bulk = shaped(tmp_path / "bulk", in_bulk(lines, roll), tables, layout=BULK, computed=[COUNTED], segment_bytes=2_000)
    for table in tables:
        assert told(bulk, table.name) == told(pages, table.name)
        assert bulk.shaped[table.name].read == pages.shaped[table.name].read
        assert not bulk.shaped[table.name].errors


def test_rows_and_sets_belong_together(tmp_path: Path) -> None:
    """Every row's set is the set of its own parent."""
    roll = Random(1)
    bulk = shaped(tmp_path, in_bulk(records(roll, 20), roll), TABLES, layout=BULK)
    parents = {one["_set"]: one["_parent"] for one in bulk.sets("order_line")}
    assert len(parents) == 20
    assert all(parents[row["_set"]] == row["_parent"] == row["order_id"] for row in bulk.rows("order_line"))


def test_of_a_list_that_lies_elsewhere_only_empty_sets_are_told(tmp_path: Path) -> None:
    """Where the records of a list are in another part, this one brings sets for the roots without any, and no rows."""
    lines = {"Order": [order(0, refunds=[{"id": "gid://shopify/Refund/1"}]), order(1, refunds=[]), order(2)]}
    layout = Layout(("Order",), ("Order.tags",), FETCHED, ("Order.refunds",))
    made = shaped(tmp_path, in_bulk(lines, Random(1)), (ORDER, REFUND_LINE), layout=layout)
    assert len(made.rows("order")) == 3
    assert made.shaped["refund_line"].read == 0
    assert [one["_parent"] for one in made.sets("refund_line")] == [1001, 1002]


def test_a_broken_root_line_keeps_no_set_from_the_others(tmp_path: Path) -> None:
    """It is a record in error, and whether its list is empty nobody can tell."""
    lines = {"Order": [order(0, refunds=[]), order(1, refunds=[{"id": "gid://shopify/Refund/1"}])]}
    layout = Layout(("Order",), ("Order.tags",), FETCHED, ("Order.refunds",))
    broken = {"Order": [b'{"id": "gid://shopify/Order/9", "refunds": [], "na\n']}
    made = shaped(tmp_path, in_bulk(lines, Random(1)), (ORDER, REFUND_LINE), layout=layout, raw_lines=broken)
    assert len(made.rows("order")) == 2 and len(made.errors("order")) == 1
    assert [one["_parent"] for one in made.sets("refund_line")] == [1000]


def test_a_root_line_without_an_id_is_a_row_all_the_same(tmp_path: Path) -> None:
    """It has nothing that its values could be found again by."""
    nameless = {name: value for name, value in order(1).items() if name != "id"}
    lines = in_bulk({"Order": [order(0), nameless], "Order.lineItems": [below(0, 0, quantity=1)]}, Random(1))
    made = shaped(tmp_path, lines, COUNTING, layout=BULK, computed=[COUNTED])
    assert [(row["id"], row["n"]) for row in made.rows("order")] == [(1000, 1), (1001, 0)]
    assert not made.errors("order")


def test_half_a_letter_is_replaced_as_in_pages(tmp_path: Path) -> None:
    """A lone surrogate, which no JSON reader takes, becomes U+FFFD; the record is no error."""
    line = orjson.dumps({name: value for name, value in order(0).items() if not name.startswith("__")})
    cut = line.replace(orjson.dumps(order(0)["name"]), b'"x\\ud83d"') + b"\n"
    made = shaped(tmp_path, {}, (ORDER,), layout=BULK, raw_lines={"Order": [cut]})
    assert [row["name"] for row in made.rows("order")] == ["x\ufffd"]
    assert not made.errors("order")


@pytest.mark.parametrize(
    "broken",
    [
        {"Order.lineItems": [below(77, 0, quantity=1)]},
        {"Order": [order(3)]},
        {"Order.refunds.lines": [{**below(3, 0, "gid://shopify/Refund/none"), "id": "1"}]},
    ],
    ids=["a line without its order", "an order twice", "a refund's line without its refund"],
)
def test_records_that_cannot_be_joined_fail_the_run(tmp_path: Path, broken: Lines) -> None:
    """A bulk result is whole or nothing: a record without its parent, or with two, is Incomplete."""
    lines = records(Random(2), 10)
    for stream, more in broken.items():
        lines[stream] += more
    for place, tables in {"plain": TABLES, "computed": COUNTING}.items():
        with pytest.raises(Incomplete):
            shaped(tmp_path / place, in_bulk(lines, Random(2)), tables, layout=BULK, computed=[COUNTED])


def spoiled(roll: Random, spoil: Mapping[str, Any], stream: str) -> tuple[Lines, Lines]:
    """Records with one in the middle of `stream` that is wrong, as pages and in bulk."""
    lines = records(roll, 12)
    middle = len(lines[stream]) // 2
    lines[stream][middle] = {**lines[stream][middle], **spoil}
    return lines, in_bulk(lines, roll)


@pytest.mark.parametrize(
    ("stream", "spoil", "feed"),
    [
        ("Order.lineItems", {"quantity": "many"}, "order_line"),
        ("Order.lineItems", {"quantity": {"a": 1}}, "order_line"),
        ("Order.lineItems", {"allocations": 7}, "allocation"),
        ("Order", {"totalSet": {"shopMoney": {"amount": "1.23456"}}}, "order"),
        ("Order", {"name": ["a"]}, "order"),
        ("Order", {"name": {"a": 1}}, "order"),
        ("Order", {"updatedAt": "soon"}, "order"),
    ],
)
def test_a_record_in_error_is_the_same_one(tmp_path: Path, stream: str, spoil: Mapping[str, Any], feed: str) -> None:
    """Law: a wrong value makes the same errors in bulk as in pages, told at the line where the record stands."""
    lines, bare = spoiled(Random(3), spoil, stream)
    tables = COUNTING if stream == "Order" else TABLES
    pages = shaped(tmp_path / "pages", lines, tables, computed=[COUNTED])
    bulk = shaped(tmp_path / "bulk", bare, tables, layout=BULK, computed=[COUNTED])
    for table in tables:
        assert told(bulk, table.name) == told(pages, table.name)
    errors = bulk.errors(feed)
    assert [error[2:] for error in errors] == [error[2:] for error in pages.errors(feed)] != []
    assert {error[1] for error in errors} == {_line_of(bare[stream], spoil)}
    assert all(error[0] == f"raw/Order/{stream}-00001.jsonl" for error in errors)


def _line_of(lines: Sequence[Mapping[str, Any]], spoil: Mapping[str, Any]) -> int:
    return next(number for number, line in enumerate(lines, 1) if spoil.items() <= line.items())


def test_a_line_that_is_no_json_holds_back_its_stream(tmp_path: Path) -> None:
    """Nobody can tell what a broken line belongs to: it is one error, and no set of its table is replaced."""
    bare = in_bulk(records(Random(4), 5), Random(4))
    broken = {"Order.lineItems": [b'{"id": "gid://shopify/LineItem/1", "quant\n']}
    made = shaped(tmp_path, bare, TABLES, layout=BULK, raw_lines=broken)
    assert [error[4] for error in made.errors("order_line")] == ["the line is not JSON in UTF-8"]
    assert all(one["_held"] for one in made.sets("order_line"))
    assert not made.errors("order")
