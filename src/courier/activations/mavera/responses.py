"""Responses: one answer of the language model per item, to a JSON Schema that is checked here as well.

Documented: `model`, `input`, `persona_id`, `instructions`, `text`, flat options, the answer's `output` and `usage`.
Inferred: the object under `text.format`, which is OpenAI's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from courier.activations.contract import Egress, Item, Known, Outcome, Remote, Sent, Unclear, Usage, Wanted
from courier.activations.mavera.agreed import in_words, judged, mistakes, with_words
from courier.activations.mavera.asked import asked_item, skipped
from courier.activations.mavera.client import THINKING_SECONDS, Client, Refusal, Reply
from courier.activations.mavera.directory import Directory, personas
from courier.activations.mavera.shaped import Filled, Shaped
from courier.activations.mavera.usage import credits_used, usage
from courier.config.activation import Response

CREDITS = (1, 5)
MODEL = "mavera-1"
LONGEST_INPUT = 100_000
PERSONA = "persona"
"""Stands in a wanted payload with a persona's name; the item has `persona_id` instead."""
_OURS = ("model", "input", "instructions", "persona_id", "text", "stream")


def payload_of(body: Response, filled: Filled, name: str) -> Shaped:
    """The body of a POST, with `persona` as a name. `name`: of the schema; letters that it may not have become `_`."""
    text = with_words(str(filled.get("input", body.input)), in_words(body.contract))
    payload: dict[str, Any] = {"model": MODEL, "input": text, "instructions": filled.get("instructions")}
    payload[PERSONA] = filled.get("persona", body.persona)
    if body.contract.schema is not None:
        named = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
        form = {"type": "json_schema", "name": named, "strict": True, "schema": body.contract.schema}
        payload["text"] = {"format": form}
    payload |= {option: value for option, value in body.options.items() if option not in _OURS}
    return Shaped({field: value for field, value in payload.items() if value is not None}, tuple(_problems(body, text)))


def _problems(body: Response, text: str) -> list[str]:
    found = [f"`options.{option}` is set by courier" for option in body.options if option in _OURS]
    if len(text) > LONGEST_INPUT:
        found.append(f"the input has {len(text)} letters, and Mavera takes {LONGEST_INPUT}: send fewer rows")
    if not text.strip():
        found.append("the input is empty")
    return [*found, *mistakes(body.contract)]


class Responses:
    """The surface of one activation. What was asked cannot be searched for: it is asked at most once."""

    def __init__(self, client: Client, body: Response) -> None:
        self._client = client
        self._body = body

    def look(self) -> Directory:
        return Directory(personas=personas(self._client)) if self._body.persona else Directory()

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        payload = dict(wanted.payload)
        named = payload.pop(PERSONA, None)
        if named is not None:
            directory = cast(Directory, remote)
            found = directory.persona(named)
            if found is None:
                return skipped(wanted, known, directory.persona_problem(named))
            payload["persona_id"] = found
        return asked_item(wanted, known, payload, CREDITS)

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        return ()

    def send(self, item: Item, egress: Egress) -> Outcome:
        with self._client.slot():
            outcome = self._client.post("/responses", item.payload, egress, THINKING_SECONDS)
        if isinstance(outcome, Refusal):
            return outcome.meaning
        return self._read(item, outcome.body) if isinstance(outcome, Reply) else outcome

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        return "cannot tell"

    def adopted(self, item: Item, remote_id: str) -> Sent:
        raise AssertionError(f"a response is never found: {item.key}")

    def resume(self, item: Item, remote_id: str) -> Outcome:
        raise AssertionError(f"a response is never pending: {item.key}")

    def usage(self) -> Usage:
        return usage(self._client)

    def _read(self, item: Item, body: Mapping[str, Any]) -> Outcome:
        if not body.get("id"):
            return Unclear(f"{self._client.host}: a response without an id")
        output, problems = self._judged(item, body)
        return Sent(str(body["id"]), credits_used(body, CREDITS[1]), output, problems=tuple(problems))

    def _judged(self, item: Item, body: Mapping[str, Any]) -> tuple[Any, list[str]]:
        """The answer as text or JSON, and what is wrong with it."""
        text, refused = _contents(body, "output_text", "text"), _contents(body, "refusal", "refusal")
        if refused:
            return refused, ["the model refused to answer"]
        problems = [] if body.get("status") in (None, "completed") else ["the answer was not completed"]
        answer, found = judged(text, self._body.contract, item)
        return answer, problems + found


def _contents(body: Mapping[str, Any], kind: str, key: str) -> str:
    """All parts of one kind, in their order: `output[].content[]`."""
    output = body.get("output")
    messages = [one for one in output if isinstance(one, Mapping)] if isinstance(output, list) else []
    parts = [part for one in messages for part in one.get("content") or () if isinstance(part, Mapping)]
    return "".join(str(part.get(key) or "") for part in parts if part.get("type") == kind)
