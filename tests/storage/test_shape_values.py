"""A text becomes a value of a column's type exactly, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.config.project import ColumnType
from courier.storage.duck import connect
from courier.storage.shape_values import looks_nested, shape_of, typed

if TYPE_CHECKING:
    from courier.storage.duck import Connection

DIGITS = st.text("0123456789", min_size=1, max_size=22)
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.just("") | DIGITS.map(".{}".format),
    st.just("") | st.integers(-25, 25).map("e{}".format) | st.integers(0, 25).map("E+{}".format),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with connect() as opened:
        yield opened


def converted(connection: Connection, value: Any, column_type: ColumnType) -> Any:
    sql = typed("given", False, column_type)
    row = connection.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS given)", [value]).fetchone()
    assert row
    return row[0]


@settings(max_examples=300, deadline=None)
@given(NUMBERS)
def test_an_integer_is_the_number_that_was_written_or_none(connection: Connection, text: str) -> None:
    exact = Decimal(text)
    found = converted(connection, text, ColumnType("integer"))
    assert found is None or Decimal(found) == exact
    if "e" not in text.lower() and exact == exact.to_integral_value() and -(2**63) <= exact < 2**63:
        assert found == int(exact)


@settings(max_examples=300, deadline=None)
@given(NUMBERS, st.integers(1, 38), st.integers(0, 38))
def test_a_decimal_is_the_number_that_was_written_or_none(
    connection: Connection, text: str, precision: int, scale: int
) -> None:
    scale = min(precision, scale)
    exact = Decimal(text)
    found = converted(connection, text, ColumnType("decimal", precision, scale))
    assert found is None or found == exact
    with localcontext(prec=200):
        shifted = exact.scaleb(scale)
        fits = shifted == shifted.to_integral_value() and abs(shifted) < Decimal(10) ** precision
    if "e" not in text.lower() and fits:
        assert found == exact


@settings(max_examples=200, deadline=None)
@given(st.text(), st.sampled_from(["boolean", "date", "datetime", "decimal", "float", "integer"]))
def test_no_text_makes_a_cast_fail(connection: Connection, text: str, kind: Any) -> None:
    converted(connection, text, ColumnType(kind))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_a_shape_tells_nothing_of_the_value(connection: Connection, text: str) -> None:
    query = f"SELECT {shape_of('given', False)}, {looks_nested('given', False)} FROM (SELECT ?::VARCHAR AS given)"
    row = connection.execute(query, [text]).fetchone()
    assert row
    assert row[0] in ("number", f"text of {len(text)} characters")
    assert not row[1] or text.lstrip()[:1] in "[{"
