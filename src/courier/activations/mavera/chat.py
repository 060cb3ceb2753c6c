"""Mave: one message per item, in a thread that goes on from apply to apply.

Documented: `message`, `thread_id`, `workspace_id`, the answer's `content`, `sources`, `thread_id` and `usage`; 30-90 s
for a first answer, so that a client waits at least 180. `validation` is promised by a guide and absent from the
reference: it is kept where it comes. Inferred: that Mave answers with JSON where the message asks for it; nothing is
relied upon but what the answer then is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, cast

from courier.activations.contract import Egress, Item, Known, Outcome, Remote, Sent, Unclear, Usage, Wanted
from courier.activations.mavera.agreed import in_words, judged, mistakes, schema_in_words, with_words
from courier.activations.mavera.asked import asked_item
from courier.activations.mavera.client import THINKING_SECONDS, Client, Refusal, Reply
from courier.activations.mavera.directory import Directory, workspace
from courier.activations.mavera.shaped import Filled, Shaped
from courier.activations.mavera.usage import credits_used, usage
from courier.config.activation import Chat

CREDITS = (10, 75)
THREAD = "thread_id"
SHORT = 400
"""Letters of an answer that, ending in a question mark, is nothing but a question."""
_KEPT = ("content", "sources", "personas_used", "validation")


def payload_of(body: Chat, filled: Filled) -> Shaped:
    """The body of a POST, without thread and workspace. What the answer must keep to stands at its end."""
    message = str(filled.get("message", body.message))
    empty = () if message.strip() else ("the message is empty",)
    text = with_words(message, in_words(body.contract), schema_in_words(body.contract))
    return Shaped({"message": text}, (*empty, *mistakes(body.contract)))


class Chats:
    """The surface of one activation. A message cannot be searched for: it is sent at most once."""

    def __init__(self, client: Client, body: Chat, workspace: str | None) -> None:
        self._client = client
        self._body = body
        self._workspace = workspace

    def look(self) -> Directory:
        return Directory(workspace=workspace(self._client, self._workspace))

    def item(self, wanted: Wanted, known: Known | None, remote: Remote, owned: Mapping[str, Known]) -> Item:
        """A new thread is no new question: only message and workspace tell whether it was asked before."""
        payload = dict(wanted.payload)
        if (found := cast(Directory, remote).workspace) is not None:
            payload["workspace_id"] = found
        if known and known.thread and self._body.thread == "continue":
            payload[THREAD] = known.thread
        return asked_item(wanted, known, payload, CREDITS, aside=frozenset({THREAD}))

    def seen(self, item: Item, remote: Remote) -> tuple[str, ...]:
        return ()

    def send(self, item: Item, egress: Egress) -> Outcome:
        """In the item's thread, or in a new one where that is gone: a 404 took no effect."""
        with self._client.slot():
            outcome = self._client.post("/mave/chat", item.payload, egress, THINKING_SECONDS)
            if isinstance(outcome, Refusal) and outcome.status == 404 and THREAD in item.payload:
                fresh = {name: value for name, value in item.payload.items() if name != THREAD}
                again = self._read(item, self._client.post("/mave/chat", fresh, egress, THINKING_SECONDS))
                note = "its thread was gone: this began a new one"
                return replace(again, problems=(*again.problems, note)) if isinstance(again, Sent) else again
        return self._read(item, outcome)

    def find(self, item: Item, since: datetime, known_ids: Sequence[str]) -> str | Literal["cannot tell"] | None:
        return "cannot tell"

    def adopted(self, item: Item, remote_id: str) -> Sent:
        raise AssertionError(f"a chat message is never found: {item.key}")

    def resume(self, item: Item, remote_id: str) -> Outcome:
        raise AssertionError(f"a chat message is never pending: {item.key}")

    def usage(self) -> Usage:
        return usage(self._client)

    def _read(self, item: Item, outcome: Any) -> Outcome:
        if isinstance(outcome, Refusal):
            return outcome.meaning
        if not isinstance(outcome, Reply):
            return cast(Outcome, outcome)
        body = outcome.body
        if not body.get("id"):
            return Unclear(f"{self._client.host}: a message without an id")
        output = {name: body[name] for name in _KEPT if name in body}
        thread = str(body[THREAD]) if body.get(THREAD) else None
        content = str(body.get("content") or "").strip()
        if doubt := _doubt(content):
            problems = [doubt]
        else:
            output["content"], problems = judged(content, self._body.contract, item)
        return Sent(str(body["id"]), credits_used(body, CREDITS[1]), output, thread=thread, problems=tuple(problems))


def _doubt(content: str) -> str:
    """What is wrong with an answer: Mave may ask back, and nothing in its answer marks that."""
    if not content:
        return "the answer is empty"
    asks_back = content.endswith("?") and len(content) < SHORT
    return "Mave seems to ask back instead of answering: say more in `chat.message`" if asks_back else ""
