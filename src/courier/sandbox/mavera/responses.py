"""POST /responses: one answer of the language model, as plain text or by a JSON Schema.

Documented: model, input of up to 100,000 characters or a list of items, persona_id, instructions, stream and its
events, text.format, temperature 0 to 2, the answer's shape, 1 to 5 credits. Inferred: the object in text.format and the
refusal (as OpenAI has them), how credits depend on length, that whatever is
answered is charged, and 200 (201 is documented for what creates).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.sandbox.faults import find
from courier.sandbox.mavera import draws
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.answers import Unmakeable
from courier.sandbox.mavera.faults import SPOILING
from courier.sandbox.mavera.keeping import structured
from courier.sandbox.mavera.refusals import INVALID, Refused, invalid, missing
from courier.sandbox.mavera.store import Node

MODEL = "mavera-1"
LONGEST = 100_000
PIECE = 40  # characters of one delta
REFUSAL = "I cannot answer this."


def created(account: Account, ask: Ask) -> Answer:
    """POST /responses."""
    text = _checked(account, ask.body)
    part = _content(account, ask, text)
    response = _response(account, text, part)
    account.store.add("response", {**response, "input": text})
    account.charge(ask.call, response["id"], response["usage"]["credits_used"])
    return Answer(response, 200, _events(response) if ask.body.get("stream") is True else None)


def _checked(account: Account, body: Mapping[str, Any]) -> str:
    """The input as one text."""
    for name in ("model", "input"):
        if not body.get(name):
            raise missing(name)
    if body["model"] != MODEL:
        raise Refused(400, INVALID, "invalid_model", f"The model is called {MODEL}", "model")
    if account.settings.needs_persona and body.get("persona_id") is None:
        raise missing("persona_id")
    need_persona(account, body.get("persona_id"))
    temperature = body.get("temperature", 1)
    if not isinstance(temperature, (int, float)) or not 0 <= temperature <= 2:
        raise invalid("temperature", "must be a number from 0 to 2")
    text = _text(body["input"])
    if len(text) > LONGEST:
        raise invalid("input", f"must not be longer than {LONGEST} characters")
    return text


def need_persona(account: Account, identity: Any) -> None:
    """Raises Refused (400, invalid_persona: documented) for one that there is not. None is fine."""
    if identity is not None and account.store.get("persona", str(identity)) is None:
        raise Refused(400, INVALID, "invalid_persona", "There is no such persona", "persona_id")


def _text(given: Any) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, dict):
        return _text(given.get("content", given.get("text", "")))
    if isinstance(given, list):
        return "\n".join(map(_text, given))
    raise invalid("input", "must be a text or a list of items")


def _content(account: Account, ask: Ask, text: str) -> Node:
    """The one part of the message: output_text, or a refusal."""
    fault = find(ask.faults, "refusal", *SPOILING)
    way = fault.kind if fault else account.settings.answers
    if way == "refusal":
        return {"type": "refusal", "refusal": REFUSAL}
    form = _form(ask.body)
    said = _structured(form, text, way) if form.get("type") in ("json_schema", "json_object") else _prose(text)
    return {"type": "output_text", "text": said, "annotations": []}


def _form(body: Node) -> Node:
    found = body
    for name in ("text", "format"):
        found = found.get(name) or {}
        if not isinstance(found, dict):
            raise invalid(name, "must be an object")
    return found


def _structured(form: Mapping[str, Any], text: str, way: str) -> str:
    schema = form.get("schema") if form["type"] == "json_schema" else {"type": "object"}
    if not isinstance(schema, dict):
        raise missing("text.format.schema")
    if form["type"] == "json_schema" and not form.get("name"):
        raise missing("text.format.name")
    try:
        return structured(schema, text, way)
    except Unmakeable as error:
        raise invalid("text.format.schema", f"cannot be answered: {error}") from error


def _prose(text: str) -> str:
    return f"You wrote {len(text.split())} words. What stands out is {draws.one(('price', 'trust', 'time'), text)}."


def _response(account: Account, text: str, part: Node) -> Node:
    said = part.get("text") or part["refusal"]
    prompt, completion = draws.tokens(text), draws.tokens(said)
    account.count_tokens(prompt, completion)
    message = {"id": account.store.new_id("msg_"), "type": "message", "role": "assistant", "status": "completed"}
    return {
        "id": account.store.new_id("resp_"),
        "object": "response",
        "created_at": account.seconds(),
        "status": "completed",
        "model": MODEL,
        "output": [{**message, "content": [part]}],
        "usage": {
            "input_tokens": prompt,
            "output_tokens": completion,
            "total_tokens": prompt + completion,
            "credits_used": min(5, 1 + (prompt + completion) // 5_000),
        },
    }


def _events(response: Node) -> tuple[tuple[str, Node], ...]:
    """Documented: the three names, and `data: [DONE]` at the end."""
    part = response["output"][0]["content"][0]
    said = part.get("text") or ""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    pieces = (said[start : start + PIECE] for start in range(0, len(said), PIECE))
    return (
        _event("response.created", response=begun),
        *(_event("response.output_text.delta", delta=piece) for piece in pieces),
        _event("response.completed", response=response),
    )


def _event(name: str, **data: Any) -> tuple[str, Node]:
    return name, {"type": name, **data}
