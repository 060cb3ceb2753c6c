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
    "answers": "responses",
    "score": "score",
    "error": "error",
    "credits": "usage.credits_used",
}
Standing = Literal["pending", "done", "failed"]
DONE = frozenset({"completed", "complete", "done", "ready", "succeeded", "finished"})
FAILED = frozenset({"failed", "error", "errored", "cancelled", "canceled", "expired"})
_REASON = 200
SCALES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "likert": (1, 7)}
"""A Likert scale has five steps or seven; nobody says which one Mavera's has."""


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


def shortcomings(body: Mapping[str, Any], asked: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """What is missing in the answer of a group that has ended: each question has as many answers as were asked for,
    and their scores are within its scale. asked: the payload, in our words. No value is told."""
    results = value_of(body, "results", names)
    if not isinstance(results, list):
        return ["there are no results in the answer: `focus_group.names.results` says where they are"]
    questions, wanted = asked["questions"], len(asked["personas"]) * asked["responses"]
    found = [] if len(results) == len(questions) else [f"{len(results)} of {len(questions)} questions have results"]
    for number, (question, result) in enumerate(zip(questions, results, strict=False), 1):
        answers = value_of(result, "answers", names) if isinstance(result, Mapping) else None
        answers = [one for one in answers if isinstance(one, Mapping)] if isinstance(answers, list) else []
        if len(answers) < wanted:
            found.append(f"question {number} has {len(answers)} answers, and {wanted} were asked for")
        if any(_beyond(question["type"], value_of(one, "score", names)) for one in answers):
            found.append(f"question {number} has a score beyond its scale")
    return found


def _beyond(type_: str, score: Any) -> bool:
    low, high = SCALES.get(type_.lower(), (None, None))
    return low is not None and high is not None and isinstance(score, int | float) and not low <= score <= high


def reason(body: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Why it failed, in one line."""
    error = value_of(body, "error", names)
    told = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    return " ".join(str(told).split())[:_REASON] if told else "Mavera does not say why"
