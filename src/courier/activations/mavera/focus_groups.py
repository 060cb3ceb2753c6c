"""Focus groups: begun once, looked at until they have ended, and resumed by a later apply where that takes longer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, Literal, cast

from courier import clock
from courier.activations.contract import (
    Credits,
    Egress,
    Item,
    Known,
    NotSent,
    Outcome,
    Remote,
    Sent,
    Unclear,
    Usage,
    Wanted,
)
from courier.activations.mavera.asked import asked_item, skipped
from courier.activations.mavera.client import Client, Refusal, Reply, segment
from courier.activations.mavera.directory import OF_ACTIVATION, Directory, personas, workspace
from courier.activations.mavera.focus_group_names import reason, request, shortcomings, standing, value_of
from courier.activations.mavera.shaped import Filled, Shaped
from courier.activations.mavera.usage import usage
from courier.config.activation import FocusGroup
from courier.errors import SourceUnreachable

PATH = "/focus-groups"
POLL_SECONDS = 5.0
MOST_PERSONAS, MOST_QUESTIONS = 10, 20


def payload_of(body: FocusGroup, filled: Filled) -> Shaped:
    """What is asked of whom, in our words; `personas` as names."""
    given = filled.get("questions") or [{"text": one.text, "options": one.options} for one in body.questions]
    asked = [_question(question.type, one) for question, one in zip(body.questions, given, strict=True)]
    named = [str(name) for name in filled.get("personas") or body.personas]
    payload = {"name": str(filled.get("name", body.name)), "personas": named, "questions": asked}
    return Shaped({**payload, "responses": body.responses}, tuple(_problems(payload)))


def _question(type_: str, one: Mapping[str, Any]) -> dict[str, Any]:
    question: dict[str, Any] = {"text": str(one["text"]), "type": type_}
    options = [str(option) for option in one.get("options") or ()]
    return {**question, "options": options} if options else question


def _problems(payload: Mapping[str, Any]) -> list[str]:
    found = [] if payload["name"].strip() else ["the name is empty"]
    if not 1 <= len(payload["questions"]) <= MOST_QUESTIONS:
        found.append(f"a focus group has 1 to {MOST_QUESTIONS} questions")
    if not payload["personas"]:
        found.append("a focus group needs a persona")
    return found + ["a question is empty" for one in payload["questions"] if not one["text"].strip()]


def estimate(personas: int, questions: int, responses: int) -> Credits:
    """Documented: about 50-75 credits for 10-25 respondents and 2 per question; 100-125 for 50 with 5 questions. All
    else is inferred, with room."""
    respondents = personas * responses
    beyond, asked = max(0, respondents - 25), 2 * questions
    return 50 + beyond + (asked if respondents >= 10 else 0), 75 + ceil(1.6 * beyond) + asked


class FocusGroups:
    """The surface of one activation. A focus group cannot be searched for: it is begun at most once.

    `send` does not wait for its end: the journal is to know its id first, and `resume` waits.
    """

    def __init__(self, client: Client, body: FocusGroup, workspace: str | None) -> None:
        self._client = client
        self._body = body
        self._workspace = workspace

    def look(self) -> Directory:
        return Directory(
            personas=personas(self._client), workspace=workspace(self._client, self._workspace, needed=True)
        )

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        directory = cast(Directory, remote)
        found, problem = _resolved(wanted.payload["personas"], directory, owned)
        if problem:
            return skipped(wanted, known, problem)
        payload = {**wanted.payload, "personas": found}
        if directory.workspace is not None:
            payload["workspace"] = directory.workspace
        credits = estimate(len(found), len(payload["questions"]), payload["responses"])
        return asked_item(wanted, known, payload, credits)

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        return ()

    def send(self, item: Item, egress: Egress) -> Outcome:
        with self._client.slot():
            outcome = self._client.post(PATH, request(item.payload, self._body.names), egress)
            if isinstance(outcome, Refusal):
                return outcome.meaning
            if not isinstance(outcome, Reply):
                return outcome
            remote_id = value_of(outcome.body, "id", self._body.names)
            if not remote_id:
                return Unclear(f"{self._client.host}: a focus group without an id")
            judged = self._judged(item, str(remote_id), outcome.body)
            return judged or self._pending(item, str(remote_id), outcome.body)

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        return "cannot tell"

    def adopted(self, item: Item, remote_id: str) -> Sent:
        raise AssertionError(f"a focus group is never found: {item.key}")

    def resume(self, item: Item, remote_id: str) -> Outcome:
        """Trouble on the way leaves it pending."""
        until = clock.now() + self._body.deadline
        with self._client.slot():
            while True:
                try:
                    body = self._client.get_if_there(f"{PATH}/{segment(remote_id)}")
                except SourceUnreachable as error:
                    return self._pending(item, remote_id, {}, error.message)
                if body is None:
                    return NotSent(f"{self._client.host}: the focus group is gone, status 404", credits=_high(item))
                if (outcome := self._judged(item, remote_id, body)) is not None:
                    return outcome
                if clock.now() >= until:
                    return self._pending(item, remote_id, body, "it has not ended before the deadline")
                clock.sleep(POLL_SECONDS)

    def usage(self) -> Usage:
        return usage(self._client)

    def _judged(self, item: Item, remote_id: str, body: Mapping[str, Any]) -> Outcome | None:
        names = self._body.names
        ended = standing(body, names)
        if ended == "pending":
            return None
        if ended == "failed":
            problem = f"the focus group failed: {reason(body, names)}"
            return NotSent(problem, "apply again to begin another", credits=self._credits(item, body))
        return Sent(remote_id, self._credits(item, body), body, problems=tuple(shortcomings(body, item.payload, names)))

    def _pending(self, item: Item, remote_id: str, body: Mapping[str, Any], problem: str = "") -> Sent:
        problems = (problem,) if problem else ()
        return Sent(remote_id, self._credits(item, body), body or None, pending=True, problems=problems)

    def _credits(self, item: Item, body: Mapping[str, Any]) -> int:
        said = value_of(body, "credits", self._body.names)
        return int(said) if isinstance(said, (int, float)) else _high(item)


def _high(item: Item) -> int:
    """A planned item knows its estimate; one that goes on has it in its payload."""
    asked = item.payload
    return estimate(len(asked["personas"]), len(asked["questions"]), asked["responses"])[1]


def _resolved(named: Sequence[str], directory: Directory, owned: Mapping[str, Known]) -> tuple[list[str], str]:
    """Ids in the order of the names, each once, or what is wrong."""
    found: list[str] = []
    for name in named:
        if name.startswith(OF_ACTIVATION):
            made = directory.made_by(name.removeprefix(OF_ACTIVATION), owned)
            if not made:
                return [], f"{name} has made no persona that is still there: apply it first"
            found += made
        elif (id_ := directory.persona(name)) is not None:
            found.append(id_)
        else:
            return [], directory.persona_problem(name)
    ids = list(dict.fromkeys(found))
    if len(ids) > MOST_PERSONAS:
        return [], f"{len(ids)} personas, and a focus group takes {MOST_PERSONAS}"
    return ids, ""
