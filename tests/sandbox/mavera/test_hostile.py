"""Whatever is sent, Mavera's own answer comes back: never a server error, and nothing half done."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier import sandbox
from courier.sandbox.mavera.account import Ask
from courier.sandbox.mavera.app import CALLS
from courier.sandbox.mavera.made_up import WORKSPACE
from courier.sandbox.mavera.refusals import Refused
from courier.sandbox.mavera.service import Mavera
from tests.sandbox.conftest import SMALL
from tests.sandbox.mavera.client import COHORT

ACCOUNT = Mavera(sandbox.open_shop(None, SMALL)).account
ACCOUNT.configure({"credits_included": 10_000_000})
PERSONA = ACCOUNT.store.every("persona")[-1]["id"]
TEXT = CALLS["POST /generations"](
    ACCOUNT, Ask("", body={"app_id": "blog_post_generator", "input_data": {"topic": "Tea"}})
)
PARTS = {
    "PATCH /personas/{id}": PERSONA,
    "PATCH /brand-voices/{id}": "bv_sandbox_house",
    "PATCH /generations/{id}": TEXT.content["id"],
}
KINDS = ("persona", "response", "thread", "message", "generation", "brand_voice", "focus_group", "workspace")
SCHEMA = {
    "type": "object",
    "required": ["ids"],
    "properties": {
        "ids": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"type": "string", "maxLength": 9}},
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
        "any": {"anyOf": [{"type": "null"}, {"enum": ["a"]}]},
    },
}
BODIES: dict[str, Any] = {
    "POST /personas": {**COHORT, "type": "B2C", "channels": ["email"], "mcda_weights": {"price": 3}},
    "PATCH /personas/{id}": {"name": "Other", "goals": ["a"]},
    "POST /responses": {
        "model": "mavera-1",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "id: 7"}]}],
        "temperature": 1,
        "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
        "stream": True,
    },
    "POST /mave/chat": {"message": "Why?", "workspace_id": WORKSPACE, "stream": False},
    "POST /focus-groups": {
        "workspace_id": WORKSPACE,
        "name": "Group",
        "persona_ids": [PERSONA],
        "questions": [{"text": "Which?", "type": "ranking", "options": ["a", "b"]}],
        "sample_size": 12,
        "responses": 2,
    },
    "POST /generations": {
        "app_id": "blog_post_generator",
        "input_data": {"topic": "Tea"},
        "title": "A title",
        "brand_voice_id": "bv_sandbox_house",
        "persona_id": PERSONA,
        "workspace_id": WORKSPACE,
    },
    "PATCH /generations/{id}": {"title": "Other"},
    "POST /brand-voices": {"label": "Plain", "usage_context": "Everything we write.", "urls": ["x"], "documents": []},
    "PATCH /brand-voices/{id}": {"label": "Plainer"},
    "POST /workspaces": {"name": "Shop", "type": "user", "budget_alert": 1},
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every place in a body where something else can be put: (its container, its key)."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, value in list(pairs) for place in ((node, key), *places(value))]


@settings(max_examples=120, deadline=None)
@given(call=st.sampled_from(sorted(BODIES)), data=st.data())
def test_every_call_answers_or_refuses(call: str, data: st.DataObject) -> None:
    """Law: what is whole is answered with JSON, what is not is refused; a block that raises changes nothing."""
    body = deepcopy(BODIES[call])
    for _ in range(data.draw(st.integers(0, 2))):
        container, key = data.draw(st.sampled_from(places(body)))
        container[key] = data.draw(JSON)
    before = held()
    with pytest.raises((Refused, Undone)) as ended, ACCOUNT.store.transaction():
        answer = CALLS[call](ACCOUNT, Ask(call, PARTS.get(call, ""), {}, body))
        orjson.dumps([answer.content, answer.events])
        raise Undone
    assert held() == before
    if isinstance(ended.value, Refused):
        assert 400 <= ended.value.status < 500 and body != BODIES[call]


class Undone(Exception):
    """Takes back what a call did, so that the next one finds the account as this one found it."""


def held() -> tuple[int, list[int]]:
    return ACCOUNT.used(), [len(ACCOUNT.store.every(kind)) for kind in KINDS]
