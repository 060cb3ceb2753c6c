"""An answer is judged here, whatever the language model was told: its schema, and every piece of evidence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.mavera.verdict import at, breaches, false_evidence, schema_problem

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
