"""Which rows leave: laws over made-up rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from courier.activations.guards import guarded, rounded
from courier.config.activation import COHORT_FLOOR, Activation, Chat, Guards, RowsAre

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(["VIP", "new", "rare", None]),
            "customers": st.none() | st.integers(0, 60),
            "value": st.none() | st.text(max_size=5),
            "shared": st.none() | st.integers(0, 60),
            "different": st.integers(0, 30),
            "sample_size": st.none() | st.integers(0, 60),
        }
    ),
    max_size=12,
)


def activation(rows_are: RowsAre = "cohorts", **given: Any) -> Activation:
    guards = Guards(**{"support": {"value": "shared"}, "distinct": {"value": "different"}, **given})
    return Activation(
        "a", "a.yaml", "a.sql", "", "mavera", "chat", Chat(""), {}, guards=guards, key="key", rows_are=rows_are
    )


@settings(max_examples=100)
@given(ROWS, st.integers(0, 40))
def test_every_row_that_leaves_stands_for_enough(rows: list[dict[str, Any]], smallest: int) -> None:
    """Of what the guards count; the others are left out, each with its guard, and none is lost."""
    found = guarded(activation(min_cohort_size=smallest, exact=("customers", "shared")), list(ROWS_OF), rows)
    assert len(found.rows) + len(found.left_out) == len(rows)
    for row in found.rows:
        assert row["customers"] >= max(smallest, COHORT_FLOOR)
        assert row["value"] is None or row["shared"] >= 25


ROWS_OF = ("key", "customers", "value", "shared", "different", "sample_size")


def test_a_cohort_of_too_few_is_not_even_named() -> None:
    """A key that stands for fewer people than may ever be told of is a row's number."""
    rows = [{**dict.fromkeys(ROWS_OF), "key": "Ann's", "customers": 1}, {**dict.fromkeys(ROWS_OF), "key": "new",
             "customers": 20}]  # fmt: skip
    left_out = guarded(activation(), ROWS_OF, rows).left_out
    assert [(one.key, one.guard) for one in left_out] == [("row 1", "min_cohort_size"), ("new", "min_cohort_size")]
    assert "Ann" not in str(left_out)


def test_nearly_unique_values_are_left_out() -> None:
    row = {"key": "VIP", "customers": 90, "value": "x", "shared": 30, "different": 21, "sample_size": 40}
    assert [one.guard for one in guarded(activation(), ROWS_OF, [row]).left_out] == ["distinct"]
    assert guarded(activation(), ROWS_OF, [{**row, "different": 20}]).left_out == ()


def test_a_query_without_what_guards_need_is_a_problem() -> None:
    assert [problem.split("`")[1] for problem in guarded(activation(), ["key", "value"], []).problems] == [
        "customers", "sample_size", "shared", "different",
    ]  # fmt: skip


@given(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=4) | st.floats(-1e300, 1e300))
def test_numbers_are_rough(value: Any) -> None:
    """Two digits that count, small integers as they are; and twice is once."""
    rough = rounded(value)
    assert rounded(rough) == rough
    if isinstance(value, int) and abs(value) < 10:
        assert rough == value
    elif rough is not None:
        digits = "".join(map(str, Decimal(str(rough)).as_tuple().digits)).strip("0")
        assert len(digits) <= 2


def test_things_are_told_exactly() -> None:
    """Channels and products are nobody."""
    row = {"key": "web", "customers": 1, "value": "x", "shared": 30, "different": 1, "sample_size": 1234}
    kept = guarded(activation("things", distinct={}), ROWS_OF, [row]).rows
    assert kept[0]["sample_size"] == 1234
