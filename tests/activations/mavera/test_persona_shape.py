"""The body of a persona: typed as documented, and what is wrong with it said before a credit is spent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.activations.mavera.persona_shape import KNOWN, LISTS, TEXTS, not_echoed, payload_of
from courier.config.activation import Persona
from courier.sandbox.mavera import personas as sandbox

BODY = Persona("{c}", "B2C", "north_star", "text")
GOOD = {"name": "Shopify VIP Customer", "description": "120 customers\n"}


def test_the_fields_are_those_of_the_emulation() -> None:
    """Two readings of the same page agree."""
    shown = {*sandbox.TEXTS, *sandbox.LISTS, sandbox.WEIGHTS, sandbox.LOCALIZED}
    assert shown - {"pipeline_type", "persona_type"} == KNOWN


def test_values_become_what_the_field_is() -> None:
    fields = {
        "purchase_cadence": Decimal("30.0"),
        "age_band": 25,
        "role_segment": ("a", None, 7),
        "is_localized": True,
        "mcda_weights": {"price": Decimal("0.5")},
        "life_stage": None,
        "somewhat_new": date(2026, 11, 21),
    }
    shaped = payload_of(BODY, {**GOOD, "fields": fields})
    assert shaped.problems == ()
    assert shaped.payload == {
        "pipeline_type": "north_star",
        "name": "Shopify VIP Customer",
        "type": "B2C",
        "description": "120 customers",
        "purchase_cadence": "30",
        "age_band": "25",
        "role_segment": ["a", "7"],
        "is_localized": True,
        "mcda_weights": {"price": 0.5},
        "somewhat_new": "2026-11-21",
    }


@pytest.mark.parametrize(
    ("filled", "said"),
    [
        ({"name": "x"}, "2 to 100"),
        ({"name": "x" * 101}, "2 to 100"),
        ({"description": "  "}, "`description` is empty"),
        ({"fields": {"goals": "one"}}, "a list of texts"),
        ({"fields": {"goals": [["one"]]}}, "a list of texts"),
        ({"fields": {"life_stage": ["one"]}}, "a text"),
        ({"fields": {"is_localized": "yes"}}, "true or false"),
        ({"fields": {"mcda_weights": [1]}}, "an object"),
        ({"fields": {"lifestyle_afinities": ["a"]}}, "Did you mean `lifestyle_affinities`?"),
        ({"fields": {"name": "other"}}, "stands beside"),
    ],
)
def test_what_is_wrong_is_said(filled: dict[str, Any], said: str) -> None:
    problems = payload_of(BODY, {**GOOD, **filled}).problems
    assert any(said in problem for problem in problems)


def test_types_and_pipelines_are_the_documented_ones() -> None:
    problems = payload_of(Persona("x", "B2X", "south_star", "d"), GOOD).problems
    assert len(problems) == 2 and "B2B, B2C" in problems[0] and "north_star" in problems[1]


def test_the_dialect_of_the_published_job() -> None:
    rows = [
        {"key": "tier", "value": "gold", "sample": Decimal(90), "share": Decimal("0.62")},
        {"key": "nps", "value": 41, "sample": 80, "share": None},
        {"key": "none", "value": None, "sample": 30},
    ]
    seed = Persona("x", "B2C", "north_star", "d", dialect="seed", attributes={"key": "k", "value": "v", "sample": "s"})
    assert payload_of(seed, {**GOOD, "attributes": rows}).payload["demographic"] == {
        "custom_attributes": {
            "nps": {"most_common": 41, "sample_size": 80, "share": None},
            "tier": {"most_common": "gold", "sample_size": 90, "share": 0.62},
        }
    }
    assert "demographic" not in payload_of(BODY, {**GOOD, "attributes": rows}).payload


values = st.one_of(
    st.text("aé ", min_size=1, max_size=3),
    st.integers(-(2**53), 2**53),
    st.lists(st.text("aé ", min_size=1, max_size=3), max_size=3),
    st.booleans(),
)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), values, max_size=4))
def test_a_payload_without_problems_is_json_of_the_documented_types(fields: dict[str, Any]) -> None:
    shaped = payload_of(BODY, {**GOOD, "fields": fields})
    assert orjson.loads(orjson.dumps(shaped.payload)) == shaped.payload
    if not shaped.problems:
        assert all(isinstance(shaped.payload[name], list) for name in LISTS & fields.keys())
        assert all(isinstance(shaped.payload[name], str) for name in TEXTS & fields.keys())


@given(
    st.dictionaries(st.sampled_from(["goals", "pains", "values"]), st.lists(st.sampled_from("xyz"), max_size=2)),
    st.data(),
)
def test_exactly_what_is_not_shown_as_sent_is_reported(sent: dict[str, list[str]], data: st.DataObject) -> None:
    dropped = data.draw(st.sets(st.sampled_from(sorted(sent)))) if sent else set()
    details = {name: value for name, value in sent.items() if name not in dropped}
    answer = {"name": "x", "details": details}
    assert set(not_echoed({"name": "x", **sent}, answer)) == {name for name in dropped if sent[name]}
