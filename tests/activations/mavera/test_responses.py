"""Responses at the sandbox: structured, judged, paid as told, and asked at most once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from courier import clock
from courier.activations.contract import NotSent, Sent, Unclear
from courier.activations.mavera.payloads import payload_of
from courier.config.activation import Contract, Response
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["overall_sentiment", "brand_health_score", "themes"],
    "properties": {
        "overall_sentiment": {"enum": ["positive", "mixed", "negative"]},
        "brand_health_score": {"type": "integer"},
        "themes": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "evidence_review_ids"],
                "properties": {
                    "name": {"type": "string"},
                    "evidence_review_ids": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}
PATH = "themes[].evidence_review_ids[]"
INPUT = "Find themes.\nreview_id: r17 soft and warm\nreview_id: r18 too small\nreview_id: r19 came late"
SENT = {PATH: frozenset({"r17", "r18", "r19"})}
BODY = Response("{rows}", contract=Contract(SCHEMA, {PATH: "review_id"}), options={"temperature": 0.2})


@pytest.fixture
def asking(sandbox: Sandbox) -> Acting:
    return acting(sandbox, BODY, name="brand health")


def test_an_answer_comes_as_json_with_good_evidence(asking: Acting, mavera: Mavera) -> None:
    item, outcome = asking.apply(asking.wanted("k", SENT, input=INPUT))
    assert (item.action, item.credits) == ("create", (1, 5))
    assert isinstance(outcome, Sent)
    assert outcome.problems == ()
    assert outcome.output["themes"][0]["evidence_review_ids"]
    assert 1 <= outcome.credits == mavera.credits_used <= 5
    form = asking.left[0].json["text"]["format"]
    assert (form["type"], form["name"], form["strict"], form["schema"]) == ("json_schema", "brand_health", True, SCHEMA)
    assert asking.left[0].json["temperature"] == 0.2
    assert asking.apply(asking.wanted("k", SENT, input=INPUT))[1] is None
    assert asking.item(asking.wanted("k", SENT, input=INPUT + ".")).action == "create"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("refusal", "refused"),
        ("invalid_json", "not JSON"),
        ("broken_schema", "breaks its schema"),
        ("foreign_evidence", "were not among what was sent"),
    ],
)
def test_a_bad_answer_is_kept_with_what_is_wrong_and_paid(asking: Acting, mavera: Mavera, kind: str, said: str) -> None:
    mavera.faults.add({"kind": kind})
    _, outcome = asking.apply(asking.wanted("k", SENT, input=INPUT))
    assert isinstance(outcome, Sent) and outcome.output
    assert any(said in problem for problem in outcome.problems)
    assert outcome.credits == mavera.credits_used > 0


def test_without_a_schema_the_text_is_the_answer(sandbox: Sandbox) -> None:
    plain = acting(sandbox, Response("{rows}"))
    _, outcome = plain.apply(plain.wanted("k", input="four words are here"))
    assert isinstance(outcome, Sent) and outcome.problems == ()
    assert outcome.output.startswith("You wrote 4 words.")
    assert "text" not in plain.left[0].json


def test_a_persona_is_named_and_sent_by_its_id(sandbox: Sandbox, mavera: Mavera) -> None:
    asking = acting(sandbox, replace(BODY, contract=Contract(), persona="Home Cook"))
    (cook,) = [persona["id"] for persona in mavera.personas if persona["name"] == "Home Cook"]
    asking.apply(asking.wanted("k", input=INPUT))
    assert asking.left[0].json["persona_id"] == cook
    assert "persona" not in asking.left[0].json
    item, nothing = asking.apply(asking.wanted("k2", input=INPUT, persona="Home Cok"))
    assert (item.action, nothing) == ("skip", None)
    assert item.reason == "there is no persona `Home Cok`. Did you mean `Home Cook`?"


@pytest.mark.parametrize("kind", ["no_answer", "status_after", "reset"])
def test_without_an_answer_it_is_asked_at_most_once(asking: Acting, mavera: Mavera, kind: str) -> None:
    mavera.faults.add({"kind": kind, "contains": "POST"})
    item, outcome = asking.apply(asking.wanted("k", SENT, input=INPUT))
    assert isinstance(outcome, Unclear)
    assert asking.surface.find(item, clock.now(), ()) == "cannot tell"
    again, nothing = asking.apply(asking.wanted("k", SENT, input=INPUT))
    assert (again.action, nothing, len(asking.left)) == ("skip", None, 1)
    asking.known["k"] = replace(asking.known["k"], state="failed")
    assert isinstance(asking.apply(asking.wanted("k", SENT, input=INPUT))[1], Sent)


def test_no_credits_stop_everything(asking: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "no_credits"})
    _, outcome = asking.apply(asking.wanted("k", SENT, input=INPUT))
    assert isinstance(outcome, NotSent) and outcome.stop


@pytest.mark.parametrize(
    ("body", "filled", "said"),
    [
        (BODY, {"input": "x" * 100_001}, "100000"),
        (BODY, {"input": " "}, "empty"),
        (replace(BODY, contract=Contract({"type": "objekt"})), {"input": "x"}, "no JSON Schema"),
        (replace(BODY, options={"stream": True}), {"input": "x"}, "set by courier"),
    ],
)
def test_what_cannot_be_asked_is_said_before(
    sandbox: Sandbox, body: Response, filled: dict[str, str], said: str
) -> None:
    problems = payload_of(acting(sandbox, body).activation, filled).problems
    assert len(problems) == 1 and said in problems[0]
