"""What templates become: values with their types, and data that cannot pass for an instruction."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.activations.templates import ItemFilling
from courier.config.activation import Each


def filling(*rows: dict[str, Any], row: str | None = None, columns: tuple[str, ...] = ()) -> ItemFilling:
    return ItemFilling(rows, row, columns)


@pytest.mark.parametrize(
    ("value", "told"), [(["a", "b"], ["a", "b"]), (3, 3), (Decimal("2.50"), 2.5), (True, True), (None, None)]
)
def test_exactly_one_column_keeps_its_type(value: Any, told: Any) -> None:
    one = filling({"x": value})
    assert (one.value("{x}"), type(one.value("{x}")), one.problems) == (told, type(told), [])


def test_text_reads_well() -> None:
    one = filling({"n": Decimal("1200.00"), "list": ["a", "b"], "share": 0.5})
    assert one.text("{n} {{n}} {list}, {share}") == "1200 {n} a, b, 0.5"


def test_what_cannot_be_filled_is_a_problem_of_the_plan() -> None:
    """A null in a longer text, and a value that the item's rows do not share; each told once."""
    one = filling({"x": None, "y": 1}, {"x": None, "y": 2})
    assert one.text("a {x}{x}") == "a "
    one.text("{y}")
    assert [problem.split(":")[0] for problem in one.problems] == [
        "`x` is null, and stands in a longer text", "`y` differs between the item's rows",
    ]  # fmt: skip


def test_each_and_rows() -> None:
    one = filling({"k": "a", "v": "x\ny"}, {"k": "b", "v": "z"}, row="{k}={v}")
    assert one.each(Each("{v}", {"k": "b"})) == ("z",)
    assert one.text("{rows}") == "a=x y\nb=z"
    assert filling({"k": "a", "v": 1}, columns=("v",)).text("{rows}") == '{"v": 1}'


@settings(max_examples=60)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_data_cannot_close_its_marks(texts: list[str]) -> None:
    """Each mark stands exactly where it was put, whatever the data holds; also the marks of that very data."""
    first = filling(*({"t": text} for text in texts), row="{t}").prompt("Read:\n{rows}")
    marks = re.findall(r"</?data [0-9a-f]{12}>", first.partition("\n\n")[0])
    for rows in (texts, [*texts, *marks]):
        one = filling(*({"t": text} for text in rows), row="{t}")
        head, _, body = one.prompt("Read:\n{rows}").partition("\n\n")
        begin, end = re.findall(r"</?data [0-9a-f]{12}>", head)
        assert body.count(begin) == body.count(end) == 1
        assert body.startswith(f"Read:\n{begin}\n") and body.endswith(f"\n{end}")
        assert one.prompt("Read:\n{rows}") == f"{head}\n\n{body}"


def test_numbers_are_no_data_to_be_marked() -> None:
    one = filling({"n": 5, "name": "x"})
    assert one.prompt("{n} rows") == "5 rows"
    assert one.prompt_value("{n}") == 5
    assert "<data " in one.prompt("{n} of {name}")
