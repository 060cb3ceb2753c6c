"""An answer is judged here, whatever the language model was told: its schema, and every piece of evidence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.mavera.verdict import at, breaches, false_evidence, false_figures, false_sums, schema_problem

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["themes"],
    "properties": {
        "themes": {
            "type": "array",
            "items": {"type": "object", "properties": {"ids": {"type": "array", "items": {"type": "string"}}}},
        }
    },
}
PATH = "themes[].ids[]"


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=3), max_size=3), st.frozensets(st.sampled_from("abcd")))
def test_evidence_is_good_exactly_when_every_piece_was_sent(ids: list[list[str]], sent: frozenset[str]) -> None:
    answer = {"themes": [{"ids": some} for some in ids]}
    named = {one for some in ids for one in some}
    assert set(at(answer, PATH)) == named
    assert (false_evidence(answer, {PATH: sent}) == []) == (named <= sent)
    assert breaches(answer, SCHEMA) == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "its top: required"),
        ({"themes": "private words"}, "themes: type"),
        ({"themes": [{"ids": [5]}]}, "themes[0].ids[0]: type"),
        ({"themes": [], "private words": 1}, "its top: additionalProperties"),
        (["private words"], "its top: type"),
    ],
)
def test_a_breach_names_its_place_and_rule_and_no_value(answer: Any, said: str) -> None:
    (found,) = breaches(answer, SCHEMA)
    assert found == f"the answer breaks its schema at {said}"


def test_many_breaches_are_counted() -> None:
    found = breaches({"themes": [{"ids": [5] * 9}]}, SCHEMA)
    assert len(found) == 6 and found[-1] == "and 4 more"


@pytest.mark.parametrize("answer", [None, [], "x", {"themes": None}, {"themes": {"ids": "one"}}, {"themes": [1]}])
def test_a_path_that_leads_nowhere_names_nothing_or_what_is_there(answer: Any) -> None:
    assert list(at(answer, PATH)) in ([], ["one"])


def test_numbers_are_named_as_texts() -> None:
    """Ids of a warehouse are often numbers, and a schema may ask for either."""
    assert false_evidence({"themes": [{"ids": [17, "18"]}]}, {PATH: frozenset({"17", "18"})}) == []
    assert false_evidence({"themes": [{"ids": [17, 19]}]}, {PATH: frozenset({"17"})}) == [
        f"{PATH} names 1 of 2 that were not among what was sent"
    ]


def test_a_broken_schema_is_a_mistake_of_the_yaml() -> None:
    assert schema_problem(SCHEMA) == ""
    assert "no JSON Schema" in schema_problem({"type": "objekt"})


ROWS = ({"shop": "a", "orders": 3, "share": 40.0}, {"shop": "b", "orders": 0, "share": None})
SHOPS = "shops[]"


def shops(*elements: Any) -> Any:
    return {"shops": list(elements)}


def test_figures_are_good_where_each_row_is_told_once_and_unchanged() -> None:
    """In any order, with whatever else; 40 is 40.0."""
    one, other = {"shop": "b", "orders": 0, "share": None}, {"shop": "a", "orders": 3, "share": 40, "why": "?"}
    assert false_figures(shops(one, other), {SHOPS: ROWS}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"orders": 4}, "shops[].orders is not what was sent in 1 of 2"),
        ({"orders": "3"}, "shops[].orders is not what was sent in 1 of 2"),
        ({"orders": True}, "shops[].orders is not what was sent in 1 of 2"),
        ({"share": None}, "shops[].share is not what was sent in 1 of 2"),
        ({"shop": "b"}, "shops[] has not one element for each of the 2 rows that were sent"),
        ({"shop": ["a"]}, "shops[] has not one element for each of the 2 rows that were sent"),
    ],
)
def test_a_figure_that_was_not_sent_is_told(change: dict[str, Any], said: str) -> None:
    assert said in false_figures(shops({**ROWS[0], **change}, ROWS[1]), {SHOPS: ROWS})


@pytest.mark.parametrize("answer", [None, {}, shops(), shops(*ROWS, ROWS[0]), shops(ROWS[0]), shops("a", 1)])
def test_a_row_that_is_left_out_or_told_twice_is_told(answer: Any) -> None:
    assert false_figures(answer, {SHOPS: ROWS}) == ["shops[] has not one element for each of the 2 rows that were sent"]


@given(st.lists(st.integers(0, 100), max_size=6), st.integers(0, 300))
def test_a_sum_is_good_exactly_when_it_comes_to_that(shares: list[int], total: int) -> None:
    answer = shops(*({"share": share} for share in shares))
    assert (false_sums(answer, {"shops[].share": total}) == []) == (sum(shares) == total)


def test_thirds_come_to_a_hundred() -> None:
    assert false_sums({"a": [33.33, 33.33, 33.33]}, {"a[]": 100}) == []
    assert false_sums({"a": [True, "50", 50]}, {"a[]": 100}) == ["a[] adds up to 50, not 100"]
