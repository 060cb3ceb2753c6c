"""Durations, cron in words, paths, types, and how a problem is drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.config.column_types import parse_type
from courier.config.cron_words import cron_in_words
from courier.config.durations import format_duration, parse_duration
from courier.config.paths import parse_rows, parse_source
from courier.config.problems import Problem
from courier.config.project import ColumnType, RowPath, Source, Step
from courier.config.render import render

NAMES = st.from_regex(r"[a-z][a-zA-Z0-9]{0,6}", fullmatch=True).filter(lambda name: name not in ("parent", "computed"))


@given(st.integers(0, 10**6))
def test_a_duration_reads_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    text = format_duration(duration)
    assert len(text) > 7 or parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "24", "h", "24 h", "24H", "1.5h", "-1h", "1h30m", "24hours", "24h\n"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("cron", "words"),
    [("30 6 * * *", "At 06:30"), ("*/15 * * * *", "Every 15 minutes"), ("0 8 * * 1", "At 08:00, only on Monday")],
)
def test_cron_in_words(cron: str, words: str) -> None:
    assert cron_in_words(cron) == words


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=3))
def test_rows_read_back(lists: list[list[str]]) -> None:
    """A row path is written as it was read."""
    rows = RowPath("Order", tuple(tuple(names) for names in lists))
    assert parse_rows(str(rows)) == rows


@pytest.mark.parametrize("text", ["", "Order.lineItems", "Order[]", "Order..a[]", "Order.a[0]", "Order. a[]", ".a[]"])
def test_other_rows_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rows(text)


@given(
    st.lists(st.tuples(NAMES, st.none() | st.integers(0, 99)), min_size=1, max_size=4), st.integers(0, 2), st.booleans()
)
def test_sources_read_back(steps: list[tuple[str, int | None]], climb: int, is_list: bool) -> None:
    """A path has the steps, the picks, the climbing and the list mark that were written."""
    if is_list:
        steps[-1] = (steps[-1][0], None)
    names = [name if index is None else f"{name}[{index}]" for name, index in steps]
    text = ".".join(["parent"] * climb + names) + ("[]" if is_list else "")
    expected = Source("field", tuple(Step(name, index) for name, index in steps), climb, is_list, text)
    assert parse_source(text, RowPath("Order", (("refunds",), ("refundLineItems",)))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "$index",
        "$value",
        "$other",
        "parent.id",
        "parent",
        "computed.",
        "computed.a.b",
        "a..b",
        "a[].b",
        "a[x]",
        "a b",
    ],
)
def test_other_sources_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_source(text, RowPath("Order"))


def test_types() -> None:
    assert parse_type("decimal") == ColumnType("decimal", 19, 4)
    assert parse_type("decimal(12, 2)") == ColumnType("decimal", 12, 2)
    assert str(parse_type("string[]")) == "string[]"
    for text in ("text", "decimal(39,2)", "decimal(2,3)", "decimal(0,0)", "Integer"):
        with pytest.raises(ValueError, match=r"."):
            parse_type(text)


def test_carets_stand_below_what_they_mean() -> None:
    """Tabs are kept and wide characters counted twice, so carets are right on a terminal."""
    problem = Problem("a.yaml", 3, 5, "rule", "wrong", "Do better.", "\t店: x", 1)
    assert render(problem) == "a.yaml:3:5: wrong [rule]\n  \t店: x\n  \t    ^\n  fix: Do better."


def test_a_long_line_is_shown_around_the_place() -> None:
    line = "a" * 500 + "WRONG" + "b" * 500
    shown = render(Problem("a.yaml", 1, 501, "rule", "wrong", "Do better.", line, 5)).split("\n")
    assert "WRONG" in shown[1]
    assert len(shown[1]) < 200
    assert shown[2].index("^") == shown[1].index("WRONG")
