"""Generations at the sandbox: apps found, inputs checked, and found again by their titles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from courier import clock
from courier.activations.contract import NotSent, Sent, Unclear
from courier.activations.mavera.directory import input_fields
from courier.activations.mavera.generations import _judged
from courier.config.activation import Generation
from courier.errors import SourceRefused
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from tests.activations.mavera.acting import Acting, acting

BODY = Generation("Email Campaign Writer", "Flow {flow}", {"goal": "{goal}", "facts": "{rows}"}, "House voice")
FILLED: dict[str, Any] = {"title": "Flow welcome", "input": {"goal": "more clicks", "facts": "clicks 2%"}}


@pytest.fixture
def writing(sandbox: Sandbox) -> Acting:
    return acting(sandbox, BODY)


def test_a_text_is_written_once(writing: Acting, mavera: Mavera) -> None:
    item, outcome = writing.apply(writing.wanted("w", **FILLED))
    assert (item.action, item.credits) == ("create", (10, 30))
    assert isinstance(outcome, Sent) and not outcome.pending
    assert outcome.output.startswith("<h1>") and outcome.credits == mavera.credits_used
    sent = writing.left[0].json
    assert (sent["app_id"], sent["brand_voice_id"]) == ("email_campaign_writer", "bv_sandbox_house")
    assert sent["title"].startswith("Flow welcome [") and sent["input_data"] == FILLED["input"]
    assert writing.apply(writing.wanted("w", **FILLED))[1] is None
    changed = writing.item(writing.wanted("w", **FILLED | {"input": {"goal": "more clicks", "facts": "clicks 3%"}}))
    assert changed.action == "create" and set(changed.after or {}) == {"title", "input_data.facts"}


@pytest.mark.parametrize("kind", ["no_answer", "torn", "status_after"])
def test_an_answer_that_is_lost_is_found_again_with_its_text(
    sandbox: Sandbox, writing: Acting, mavera: Mavera, kind: str
) -> None:
    mavera.faults.add({"kind": kind, "contains": "POST"})
    since = clock.now()
    item, outcome = writing.apply(writing.wanted("w", **FILLED))
    assert isinstance(outcome, Unclear)
    found = writing.surface.find(item, since, ())
    assert [one["id"] for one in mavera.things("generation")] == [found]
    adopted = writing.surface.adopted(item, str(found))
    assert adopted.output.startswith("<h1>") and adopted.credits == mavera.credits_used
    fresh = acting(sandbox, BODY).surface
    assert fresh.seen(item, fresh.look()) == (found,)
    assert writing.surface.find(item, since, (str(found),)) is None


def test_what_never_took_effect_is_not_found(writing: Acting, mavera: Mavera) -> None:
    mavera.faults.add({"kind": "reset", "contains": "POST"})
    item, outcome = writing.apply(writing.wanted("w", **FILLED))
    assert isinstance(outcome, Unclear)
    assert writing.surface.find(item, clock.now(), ()) is None


@pytest.mark.parametrize("key", ["input_schema", "input_data"])
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"goal": "x", "facts": "y", "audiense": "z"}, "Did you mean `audience`?"),
        ({"goal": "x"}, "needs the input `facts`"),
    ],
)
def test_inputs_are_checked_against_the_app(
    sandbox: Sandbox, mavera: Mavera, key: str, inputs: dict[str, str], said: str
) -> None:
    mavera.configure(app_inputs_key=key)
    with pytest.raises(SourceRefused) as refused:
        acting(sandbox, replace(BODY, input=inputs)).surface.look()
    assert said in refused.value.message


def test_an_app_is_found_by_its_name_or_id(sandbox: Sandbox) -> None:
    for named in ("email_campaign_writer", "Email Campaign Writer"):
        assert acting(sandbox, replace(BODY, app=named)).surface.look().hash
    with pytest.raises(SourceRefused) as refused:
        acting(sandbox, replace(BODY, app="Email Campain Writer")).surface.look()
    assert refused.value.fix == "Did you mean `Email Campaign Writer`?"


def test_a_brand_voice_must_be_ready(sandbox: Sandbox, mavera: Mavera) -> None:
    with pytest.raises(SourceRefused, match="no brand voice `House voise`"):
        acting(sandbox, replace(BODY, brand_voice="House voise")).surface.look()
    voice = mavera.things("brand_voice")[0]
    store = mavera.account.store
    now = mavera.account.now().timestamp()
    with store.transaction():
        store.put("brand_voice", {**voice, "polls": 0, "began": now})
    with pytest.raises(SourceRefused, match="still being made"):
        acting(sandbox, BODY).surface.look()
    with store.transaction():
        store.put("brand_voice", {**voice, "fails": True})
    with pytest.raises(SourceRefused, match="failed at Mavera"):
        acting(sandbox, BODY).surface.look()


def test_an_asynchronous_app_is_looked_at_until_it_ends() -> None:
    """Documented in a sentence only, and so the shapes are read as they may come."""
    assert _judged("g", {"id": "g", "status": "PROCESSING"}) is None
    done = _judged("g", {"id": "g", "status": "completed", "content": "text", "usage": {"credits_used": 12}})
    assert done == Sent("g", 12, "text")
    failed = _judged("g", {"id": "g", "status": "FAILED", "error": {"message": "too long"}})
    assert isinstance(failed, NotSent) and failed.problem == "the generation failed: too long" and failed.credits == 30
    empty = _judged("g", {"id": "g"})
    assert isinstance(empty, Sent) and empty.problems == ("the text is empty",)


def test_a_generation_that_is_gone_is_not_waited_for(writing: Acting) -> None:
    item = writing.item(writing.wanted("w", **FILLED))
    gone = writing.surface.resume(item, "gen_deleted")
    assert isinstance(gone, NotSent) and "gone" in gone.problem


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"input_schema": {"properties": {"a": {}, "b": {}}, "required": ["b"]}}, {"a": False, "b": True}),
        ({"input_data": [{"name": "a", "required": True}, {"key": "b"}, "c"]}, {"a": True, "b": False, "c": False}),
        ({"input_data": {"a": {"required": True}, "b": "text"}}, {"a": True, "b": False}),
        ({}, None),
    ],
)
def test_an_apps_fields_are_read_in_every_shape(told: dict[str, Any], fields: dict[str, bool] | None) -> None:
    assert input_fields(told) == fields
