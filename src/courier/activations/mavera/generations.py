"""Generations: one text per item, written by an app that is found by its name.

Documented: `app_id`, `input_data`, `brand_voice_id`, `persona_id`, `workspace_id`, `title`; the answer's `content` and
`usage`; lists with title search and cursor; that some apps run asynchronously. Inferred: reading one by its id.
A title ends in a short code of its payload, so that one whose answer was lost can be found again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from courier import clock
from courier.activations.contract import Egress, Item, Known, NotSent, Outcome, Remote, Sent, Unclear, Usage, Wanted
from courier.activations.mavera.asked import asked_item, skipped
from courier.activations.mavera.client import THINKING_SECONDS, Client, Refusal, Reply, segment
from courier.activations.mavera.directory import Directory, app, brand_voice, personas, workspace
from courier.activations.mavera.focus_group_names import reason, standing
from courier.activations.mavera.shaped import Filled, Shaped, digest, plain
from courier.activations.mavera.usage import credits_used, usage
from courier.config.activation import Generation
from courier.errors import SourceUnreachable

PATH = "/generations"
CREDITS = (10, 30)
POLL_SECONDS = 5.0
DEADLINE = timedelta(minutes=10)
CODE_LETTERS = 8
LONGEST_TITLE = 200
PERSONA = "persona"
"""Stands in a wanted payload with a persona's name; the item has `persona_id` instead."""
_NAMES: Mapping[str, str] = {}


def payload_of(body: Generation, filled: Filled) -> Shaped:
    """The body of a POST, without the ids of app, brand voice and workspace, and `persona` as a name."""
    given: Mapping[str, Any] = filled.get("input", body.input)
    inputs = {name: plain(value) for name, value in given.items() if value is not None}
    title = str(filled.get("title", body.title)).strip()
    payload = {"title": title, "input_data": inputs, PERSONA: filled.get("persona", body.persona)}
    problems = [] if 0 < len(title) <= LONGEST_TITLE else [f"a title has 1 to {LONGEST_TITLE} letters"]
    return Shaped({name: value for name, value in payload.items() if value is not None}, tuple(problems))


class Generations:
    """The surface of one activation."""

    def __init__(self, client: Client, body: Generation, workspace: str | None) -> None:
        self._client = client
        self._body = body
        self._workspace = workspace
        self._before: dict[str, tuple[str, ...]] | None = None

    def look(self) -> Directory:
        body, space = self._body, workspace(self._client, self._workspace)
        return Directory(
            personas=personas(self._client) if body.persona else {},
            workspace=space,
            brand_voice=brand_voice(self._client, body.brand_voice, space),
            app=app(self._client, body.app, body.input),
        )

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        directory = cast(Directory, remote)
        payload = dict(wanted.payload)
        ids = {"app_id": directory.app, "brand_voice_id": directory.brand_voice, "workspace_id": directory.workspace}
        named = payload.pop(PERSONA, None)
        if named is not None:
            ids["persona_id"] = directory.persona(named)
            if ids["persona_id"] is None:
                return skipped(wanted, known, directory.persona_problem(named))
        payload |= {name: value for name, value in ids.items() if value is not None}
        return asked_item(wanted, known, {**payload, "title": _coded(payload)}, CREDITS)

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        """Read once, before the first of an apply: no plan needs it, and an account may have thousands."""
        if self._before is None:
            self._before = self._titles(item)
        return self._before.get(item.payload["title"], ())

    def send(self, item: Item, egress: Egress) -> Outcome:
        with self._client.slot():
            outcome = self._client.post(PATH, item.payload, egress, THINKING_SECONDS)
            if isinstance(outcome, Refusal):
                return outcome.meaning
            if not isinstance(outcome, Reply):
                return outcome
            if not outcome.body.get("id"):
                return Unclear(f"{self._client.host}: a generation without an id")
            remote_id = str(outcome.body["id"])
            return _judged(remote_id, outcome.body) or _pending(remote_id, outcome.body)

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        """By the exact title, over all pages, among what was not there before."""
        found = [id_ for id_ in self._titles(item).get(item.payload["title"], ()) if id_ not in known_ids]
        if len(found) > 1:
            return "cannot tell"
        return found[0] if found else None

    def adopted(self, item: Item, remote_id: str) -> Sent:
        """With its text, where it is there already."""
        body = self._look_at(remote_id)
        outcome = None if body is None else _judged(remote_id, body)
        return outcome if isinstance(outcome, Sent) else _pending(remote_id, body or {})

    def resume(self, item: Item, remote_id: str) -> Outcome:
        """For an asynchronous app. Trouble on the way leaves it pending."""
        until = clock.now() + DEADLINE
        with self._client.slot():
            while True:
                try:
                    body = self._look_at(remote_id)
                except SourceUnreachable as error:
                    return _pending(remote_id, {}, error.message)
                if body is None:
                    return NotSent(f"{self._client.host}: the generation is gone, status 404", credits=CREDITS[1])
                if (outcome := _judged(remote_id, body)) is not None:
                    return outcome
                if clock.now() >= until:
                    return _pending(remote_id, body, "it has not ended before the deadline")
                clock.sleep(POLL_SECONDS)

    def usage(self) -> Usage:
        return usage(self._client)

    def _look_at(self, remote_id: str) -> Mapping[str, Any] | None:
        """One generation by its id, which no page shows, or else as the list shows it."""
        body = self._client.get_if_there(f"{PATH}/{segment(remote_id)}")
        return body or next((row for row in self._client.rows(PATH) if row["id"] == remote_id), None)

    def _titles(self, item: Item) -> dict[str, tuple[str, ...]]:
        """Not searched by title: a search that passes over a bracket would make us pay twice."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self._client.rows(PATH, workspace_id=item.payload.get("workspace_id")):
            title = str(row.get("title") or "")
            found[title] = (*found.get(title, ()), str(row["id"]))
        return found


def _pending(remote_id: str, body: Mapping[str, Any], problem: str = "") -> Sent:
    problems = (problem,) if problem else ()
    return Sent(remote_id, credits_used(body, CREDITS[1]), pending=True, problems=problems)


def _judged(remote_id: str, body: Mapping[str, Any]) -> Outcome | None:
    content = body.get("content") or body.get("output")
    if content:
        return Sent(remote_id, credits_used(body, CREDITS[1]), content)
    ended = standing(body, _NAMES) if body.get("status") else "done"
    if ended == "pending":
        return None
    if ended == "failed":
        problem = f"the generation failed: {reason(body, _NAMES)}"
        return NotSent(problem, "apply again", credits=credits_used(body, CREDITS[1]))
    return Sent(remote_id, credits_used(body, CREDITS[1]), "", problems=("the text is empty",))


def _coded(payload: Mapping[str, Any]) -> str:
    return f"{payload['title']} [{digest(payload)[:CODE_LETTERS]}]"
