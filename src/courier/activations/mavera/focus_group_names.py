"""The one place that knows how Mavera calls the parts of a focus group. Pure.

No public page shows a request or an answer of /focus-groups. Known are: asynchronous, `workspace_id` is required, 1-10
personas, 1-20 questions, twelve types of questions, PENDING -> PROCESSING -> COMPLETED. Every name below is inferred,
and `focus_group.names` of the YAML replaces any of them. Names of the answer may be paths: `data.status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

ASSUMED: Mapping[str, str] = {
    "name": "name",
    "workspace": "workspace_id",
    "personas": "persona_ids",
    "questions": "questions",
    "text": "text",
    "type": "type",
    "options": "options",
    "responses": "responses",
    "id": "id",
    "status": "status",
    "results": "results",
    "error": "error",
    "credits": "usage.credits_used",
}
Standing = Literal["pending", "done", "failed"]
DONE = frozenset({"completed", "complete", "done", "ready", "succeeded", "finished"})
FAILED = frozenset({"failed", "error", "errored", "cancelled", "canceled", "expired"})
_REASON = 200


def name_of(word: str, names: Mapping[str, str]) -> str:
    return names.get(word, ASSUMED[word])


def request(payload: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The body of a POST, from a payload in our words."""
    body = {name_of(word, names): value for word, value in payload.items() if word != "questions"}
    asked = [{name_of(word, names): value for word, value in one.items()} for one in payload["questions"]]
    return {**body, name_of("questions", names): asked}


def value_of(body: Mapping[str, Any], word: str, names: Mapping[str, str]) -> Any:
    """What an answer has at one of our words; None where it has nothing."""
    value: Any = body
    for step in name_of(word, names).split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def standing(body: Mapping[str, Any], names: Mapping[str, str]) -> Standing:
    """How far it is, whatever the case of the word. A word that nobody knows is waited for, until the deadline."""
    status = str(value_of(body, "status", names) or "").lower()
    if status in DONE or (not status and value_of(body, "results", names)):
        return "done"
    return "failed" if status in FAILED else "pending"


def reason(body: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Why it failed, in one line."""
    error = value_of(body, "error", names)
    told = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    return " ".join(str(told).split())[:_REASON] if told else "Mavera does not say why"
