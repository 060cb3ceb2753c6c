"""Laws of shaping that hold whatever a source sends."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from courier.storage.raw import read_manifest

from .shaping import TABLES, Made, below, order, shaped

# orjson, which writes the raw lines, takes integers of 64 bits and no lone surrogates.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(
        ["1", "1.0", "0.0", "-7.25", "[1]", '{"a":1}', "[", "{", "gid://shopify/LineItem/5", "2026-01-01T00:00:00Z"]
    )
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "amount"]), inner, max_size=2),
    max_leaves=4,
)
GARBAGE = (
    st.binary(max_size=12)
    .map(lambda data: data.replace(b"\n", b"").replace(b"\r", b"") or b"?")
    .map(lambda d: d + b"\n")
)


def sometimes(good: Any, bad: st.SearchStrategy[Any] = ANYTHING) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(good), st.just(good), bad)


@st.composite
def orders(draw: st.DrawFn, number: int) -> dict[str, Any]:
    return order(
        number,
        legacyResourceId=draw(sometimes(str(1000 + number))),
        name=draw(sometimes("#1")),
        totalSet=draw(
            sometimes({"shopMoney": {"amount": "1.5"}}, ANYTHING | ANYTHING.map(lambda a: {"shopMoney": {"amount": a}}))
        ),
        tags=draw(sometimes(["a"], ANYTHING | st.lists(ANYTHING, max_size=3))),
        updatedAt=draw(sometimes("2026-11-20T01:02:03Z")),
    )


@st.composite
def lines(draw: st.DrawFn, number: int, index: int) -> dict[str, Any]:
    allocations = st.lists(sometimes({"amountSet": {"amount": "1"}}), max_size=3)
    return below(
        number,
        index,
        id=draw(sometimes(f"gid://shopify/LineItem/{10 * number + index}")),
        quantity=draw(sometimes(1)),
        allocations=draw(st.one_of(allocations, ANYTHING)),
    )


@st.composite
def shops(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    count = draw(st.integers(0, 4))
    return {
        "Order": [draw(orders(number)) for number in range(count)],
        "Order.lineItems": [
            draw(lines(number, index)) for number in range(count) for index in range(draw(st.integers(0, 2)))
        ],
    }


def held(made: Made, feed: str) -> set[int]:
    return {row["_set"] for row in made.sets(feed) if row["_held"]}


@settings(max_examples=30, deadline=None)
@given(shops(), st.lists(GARBAGE, max_size=2), st.lists(GARBAGE, max_size=2))
@example({"Order": [], "Order.lineItems": []}, [b"\t\n"], [b" \n"])  # which DuckDB takes for no line at all
def test_every_record_is_a_row_or_an_error(
    shop: dict[str, list[dict[str, Any]]], broken_orders: list[bytes], broken_lines: list[bytes]
) -> None:
    """read = rows + errors; a feed over a stream reads every line of it; each error stands on a line of its file."""
    with tempfile.TemporaryDirectory() as folder:
        raw_lines = {"Order": broken_orders, "Order.lineItems": broken_lines}
        made = shaped(Path(folder), shop, raw_lines={name: found for name, found in raw_lines.items() if found})
        manifest = read_manifest(Path(folder) / "run" / "raw" / "Order")
        assert manifest
        assert made.shaped["order"].read == manifest.lines("Order")
        assert made.shaped["order_line"].read == manifest.lines("Order.lineItems")
        for table in TABLES:
            one = made.shaped[table.name]
            assert one.read == len(made.rows(table.name)) + len(one.errors)
            for error in one.errors:
                file = Path(folder) / "run" / error.file
                assert 1 <= error.line <= len(file.read_bytes().split(b"\n"))


@settings(max_examples=20, deadline=None)
@given(shops())
def test_an_error_below_a_root_that_can_be_read_holds_its_set(shop: dict[str, list[dict[str, Any]]]) -> None:
    """A set that is not held has every one of its records among the rows."""
    with tempfile.TemporaryDirectory() as folder:
        made = shaped(Path(folder), shop)
        whole = {row["_set"] for row in made.sets("order_line")} - held(made, "order_line")
        sent = [line["__record"] for line in shop["Order.lineItems"]]
        rows = [row["_set"] for row in made.rows("order_line")]
        for number in whole:
            assert rows.count(number) == sent.count(number)
        assert set(rows) <= {row["_set"] for row in made.sets("order_line")}


@settings(max_examples=10, deadline=None)
@given(shops(), st.integers(0, 4))
def test_two_halves_are_the_whole(shop: dict[str, list[dict[str, Any]]], cut: int) -> None:
    """Shaping some records and the others apart gives the same rows, and as many errors, as shaping them together."""
    with tempfile.TemporaryDirectory() as folder:
        whole = shaped(Path(folder) / "whole", shop)
        first = {stream: [r for r in found if r["__record"] < cut] for stream, found in shop.items()}
        second = {stream: [r for r in found if r["__record"] >= cut] for stream, found in shop.items()}
        parts = [shaped(Path(folder) / "first", first), shaped(Path(folder) / "second", second)]
        for table in TABLES:
            together = sorted([*parts[0].rows(table.name), *parts[1].rows(table.name)], key=repr)
            assert together == sorted(whole.rows(table.name), key=repr)
            assert sum(part.shaped[table.name].read for part in parts) == whole.shaped[table.name].read


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**14), max_value=10**14), max_size=5
    )
)
def test_money_comes_through_to_the_last_digit(amounts: list[Decimal]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = [order(n, totalSet={"shopMoney": {"amount": str(a)}}) for n, a in enumerate(amounts)]
        assert [row["total"] for row in shaped(Path(folder), {"Order": found}, TABLES[:1]).rows("order")] == amounts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_texts_come_through_to_the_last_character(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = [order(n, name=text, tags=[text]) for n, text in enumerate(texts)]
        made = shaped(Path(folder), {"Order": found})
        assert [row["name"] for row in made.rows("order")] == texts
        assert [row["value"] for row in made.rows("order_tags")] == texts
