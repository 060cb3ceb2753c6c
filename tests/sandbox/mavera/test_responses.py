"""/responses and Mave: answers that fit their schema, name real evidence, and come as events too."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.sandbox.mavera.answers import Maker
from courier.sandbox.mavera.faults import Fault
from tests.sandbox.mavera.client import Client, Json

REVIEWS = '{"review_id": "r-17", "text": "Fine"}\n{"review_id": "r-18", "text": "Late, order 99"}\n'
THEMES: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["overall", "themes"],
    "properties": {
        "overall": {"enum": ["positive", "mixed", "negative"]},
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


def bounded(name: str) -> st.SearchStrategy[Json]:
    low, span = st.integers(-50, 50), st.integers(2, 60)
    return st.builds(lambda low, span: {"type": name, "minimum": low, "exclusiveMaximum": low + span}, low, span)


SCHEMAS: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["null", "integer"]}, {"enum": ["a", 1]}, {}]),
        st.builds(
            lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
            *[st.integers(0, 30)] * 2,
        ),
        bounded("integer"),
        bounded("number"),
        st.just({"type": "integer", "multipleOf": 5, "exclusiveMinimum": 10}),
    ),
    lambda inner: st.one_of(
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 4)),
        st.builds(lambda one, two: {"anyOf": [one, two]}, inner, inner),
        st.dictionaries(st.sampled_from(["name", "evidence_ids", "review_id", "x"]), inner, max_size=3).map(
            lambda known: {"type": "object", "properties": known, "required": [*known], "additionalProperties": False}
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS, text=st.sampled_from(["", REVIEWS, "id: 7, id: 8"]))
def test_answers_fit_their_schema(schema: Json, text: str) -> None:
    """Law: whatever the schema, the answer is valid, and the same again."""
    answer = Maker(schema, text).answer()
    jsonschema.validate(answer, schema)
    assert answer == Maker(schema, text).answer()


def ask(client: Client, **more: Any) -> requests.Response:
    form = {"type": "json_schema", "name": "themes", "strict": True, "schema": THEMES}
    body = {"model": "mavera-1", "input": REVIEWS, "text": {"format": form}, **more}
    return client.send("POST", "responses", body)


def text_of(response: requests.Response) -> str:
    part: Json = response.json()["output"][0]["content"][0]
    return str(part.get("text") or part["refusal"])


def evidence(answer: Json) -> set[str]:
    return {identity for theme in answer["themes"] for identity in theme["evidence_review_ids"]}


def test_evidence_is_what_was_sent(shared: Client) -> None:
    """Ids are those of the property's own name; the answer costs 1 to 5."""
    found = ask(shared)
    assert evidence(json.loads(text_of(found))) == {"r-17", "r-18"}
    assert found.json()["status"] == "completed" and 1 <= found.json()["usage"]["credits_used"] <= 5
    parts = [{"role": "user", "content": [{"type": "input_text", "text": REVIEWS}]}]
    assert text_of(ask(shared, input=parts)) == text_of(ask(shared, input=REVIEWS))


def test_recursive_schemas_end() -> None:
    """A schema of itself is answered to some depth."""
    tree: Json = {
        "$defs": {
            "node": {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
        },
        "$ref": "#/$defs/node",
    }
    jsonschema.validate(Maker(tree, "x").answer(), tree)


@pytest.mark.parametrize("as_fault", [True, False])
def test_answers_that_are_wrong(client: Client, as_fault: bool) -> None:
    """By fault, once, or by setting, always: refused, no JSON, breaking the schema, or naming what was not sent."""

    def bad(kind: str) -> str:
        if as_fault:
            client.mavera.faults.add(Fault(kind))
        else:
            client.mavera.configure(answers=kind)
        return text_of(ask(client))

    assert "cannot answer" in bad("refusal")
    with pytest.raises(json.JSONDecodeError):
        json.loads(bad("invalid_json"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(bad("broken_schema")), THEMES)
    answer = json.loads(bad("foreign_evidence"))
    jsonschema.validate(answer, THEMES)
    assert evidence(answer) - {"r-17", "r-18"}
    assert len(client.mavera.charges) == 4


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"model": "gpt"}, "invalid_model"),
        ({"model": None}, "missing_field"),
        ({"input": ""}, "missing_field"),
        ({"input": "x" * 100_001}, "invalid_field"),
        ({"persona_id": "clx0"}, "invalid_persona"),
        ({"temperature": 3}, "invalid_field"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "missing_field"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {"pattern": "a"}}}}, "invalid_field"),
    ],
)
def test_bad_requests(shared: Client, more: Json, code: str) -> None:
    """400 with the documented code."""
    found = ask(shared, **more)
    assert (found.status_code, found.json()["error"]["code"]) == (400, code)


def test_a_persona_may_be_required(client: Client) -> None:
    """As the reference has it."""
    client.mavera.configure(needs_persona=True)
    assert ask(client).status_code == 400
    assert ask(client, persona_id=client.mavera.personas[0]["id"]).status_code == 200


def events_of(response: requests.Response) -> list[Json]:
    assert response.headers["Content-Type"].startswith("text/event-stream")
    blocks = response.text.strip().split("\n\n")
    assert blocks[-1] == "data: [DONE]"
    return [json.loads(block.split("data: ", 1)[1]) for block in blocks[:-1]]


def test_events_tell_the_same(client: Client) -> None:
    """Law: the deltas of a stream are the text of the answer that ends it."""
    events = events_of(ask(client, stream=True))
    kinds = [event["type"] for event in events]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    said = "".join(event["delta"] for event in events[1:-1])
    assert said == events[-1]["response"]["output"][0]["content"][0]["text"] == text_of(ask(client))
    chat = events_of(client.send("POST", "mave/chat", {"message": "Hello", "stream": True}))
    assert "".join(event["delta"] for event in chat[1:-1]) == chat[-1]["message"]["content"]
    assert client.mavera.credits_used == sum(charge.credits for charge in client.mavera.charges)


def test_a_chat_goes_on_in_its_thread(client: Client) -> None:
    """Threads can be listed, read and deleted; what is deleted is gone."""
    first = client.post("mave/chat", message="What next?")
    second = client.post("mave/chat", message="And then?", thread_id=first["thread_id"])
    assert first["thread_id"] == second["thread_id"] and first["content"] != second["content"]
    other = client.post("mave/chat", message="word " * 700)
    assert 10 <= first["usage"]["credits_used"] <= 15 and 40 <= other["usage"]["credits_used"] <= 75
    assert [row["id"] for row in client.every("mave/threads", limit=1)] == [first["thread_id"], other["thread_id"]]
    told = client.get(f"mave/threads/{first['thread_id']}")["messages"]
    assert [one["role"] for one in told] == ["user", "assistant"] * 2 and told[2]["content"] == "And then?"
    client.send("DELETE", f"mave/threads/{first['thread_id']}")
    gone = {"message": "x", "thread_id": first["thread_id"]}
    assert client.error("POST", "mave/chat", gone) == (404, "resource_not_found")


def test_a_chat_takes_its_time(client: Client) -> None:
    """On the shop's clock; and it may ask back."""
    client.mavera.configure(chat_seconds=60)
    client.mavera.faults.add(Fault("clarification"))
    before = client.sandbox.shop.now()
    assert client.post("mave/chat", message="Compare.")["content"].endswith("?")
    assert (client.sandbox.shop.now() - before).total_seconds() >= 60
