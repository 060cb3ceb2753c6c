"""POST /mave/chat and /mave/threads.

Documented: message, thread_id, workspace_id, stream, the message's shape, credits by how much is asked (10-15, 20-30,
30-50, 40-75), and that threads can be listed, read and deleted. Inferred: the shape of threads, the events of a stream,
that the length of a message tells how much is asked, and that Mave answers by a JSON Schema which its message holds.
"""

from __future__ import annotations

from courier.sandbox.faults import find
from courier.sandbox.mavera import draws
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.answers import Unmakeable
from courier.sandbox.mavera.faults import SPOILING
from courier.sandbox.mavera.keeping import split, structured
from courier.sandbox.mavera.paging import page
from courier.sandbox.mavera.refusals import invalid, missing
from courier.sandbox.mavera.store import Node
from courier.sandbox.mavera.workspaces import workspace_of

_BANDS = ((30, 10, 15), (150, 20, 30), (600, 30, 50))  # words below which a message costs from, to
_MOST = (40, 75)
PIECE = 60


def sent(account: Account, ask: Ask) -> Answer:
    """POST /mave/chat."""
    text = ask.body.get("message")
    if not text:
        raise missing("message")
    if not isinstance(text, str):
        raise invalid("message", "must be a text")
    thread = _thread(account, ask, text)
    account.store.add("message", {"id": account.store.new_id(), **_message(account, thread, "user", text)})
    said = _asked_back() if find(ask.faults, "clarification") else _answered(account, ask, text, thread)
    answer = {"id": account.store.new_id(), **_message(account, thread, "assistant", said)}
    answer |= {"sources": _sources(text), "personas_used": _personas(account, text)}
    answer["usage"] = {"credits_used": _credits(text)}
    account.store.add("message", answer)
    account.store.put("thread", {**thread, "messages": thread["messages"] + 2, "updated_at": account.iso()})
    account.count_tokens(draws.tokens(text), draws.tokens(said))
    account.charge(ask.call, answer["id"], answer["usage"]["credits_used"])
    return Answer(answer, 200, _events(answer) if ask.body.get("stream") is True else None)


def _thread(account: Account, ask: Ask, text: str) -> Node:
    if (known := ask.body.get("thread_id")) is not None:
        return account.need("thread", "Thread", str(known))
    thread = {
        "id": account.store.new_id("mave_thread_"),
        "title": text[:60],
        "workspace_id": workspace_of(account, ask.body),
        "messages": 0,
        "created_at": account.iso(),
        "updated_at": account.iso(),
    }
    return account.store.add("thread", thread)


def _message(account: Account, thread: Node, role: str, content: str) -> Node:
    return {
        "object": "mave_message",
        "thread_id": thread["id"],
        "role": role,
        "content": content,
        "created_at": account.iso(),
    }


def _credits(text: str) -> int:
    words = len(text.split())
    low, high = next(((low, high) for below, low, high in _BANDS if words < below), _MOST)
    return draws.number(low, high, text)


def _answered(account: Account, ask: Ask, text: str, thread: Node) -> str:
    """By the schema that the message asks for, fenced as language models like to, or else a few words."""
    question, schema = split(text)
    if schema is None:
        return _said(text, thread)
    fault = find(ask.faults, *SPOILING)
    try:
        said = structured(schema, question, fault.kind if fault else account.settings.answers)
    except Unmakeable:
        return _said(text, thread)
    return f"```json\n{said}\n```" if draws.number(0, 1, text) else said


def _said(text: str, thread: Node) -> str:
    turn = thread["messages"] // 2 + 1
    advice = draws.one(("keep what works", "cut what does not", "test one thing at a time"), text)
    return f"## Answer {turn}\n\nOf the {len(text.split())} words that you sent: {advice}.\n"


def _asked_back() -> str:
    return "Before I answer: which period and which market do you mean?"


def _sources(text: str) -> list[Node]:
    domain = draws.one(("research.example.invalid", "news.example.invalid"), text)
    return [{"title": "A study", "url": f"https://{domain}/study", "domain": domain}]


def _personas(account: Account, text: str) -> list[Node]:
    base = [body for body in account.store.every("persona") if not body["is_custom"]]
    return [{"id": body["id"], "name": body["name"]} for body in draws.some(base, 2, text)]


def _events(answer: Node) -> tuple[tuple[str, Node], ...]:
    said = answer["content"]
    pieces = (said[start : start + PIECE] for start in range(0, len(said), PIECE))
    head = {"id": answer["id"], "thread_id": answer["thread_id"]}
    return (
        ("mave.message.created", {"type": "mave.message.created", **head}),
        *(("mave.message.delta", {"type": "mave.message.delta", "delta": piece}) for piece in pieces),
        ("mave.message.completed", {"type": "mave.message.completed", "message": answer}),
    )


def threads(account: Account, ask: Ask) -> Answer:
    """GET /mave/threads."""
    return Answer(page(account.store, ask, "thread", lambda body: True, _shown))


def thread(account: Account, ask: Ask) -> Answer:
    """GET /mave/threads/{id}, with its messages in order."""
    body = account.need("thread", "Thread", ask.part)
    messages = [one for one in account.store.every("message") if one["thread_id"] == ask.part]
    return Answer({**_shown(body), "messages": messages})


def deleted(account: Account, ask: Ask) -> Answer:
    """DELETE /mave/threads/{id}."""
    account.need("thread", "Thread", ask.part)
    for one in account.store.every("message"):
        if one["thread_id"] == ask.part:
            account.store.remove("message", one["id"])
    account.store.remove("thread", ask.part)
    return Answer({"id": ask.part, "object": "mave_thread", "deleted": True})


def _shown(body: Node) -> Node:
    names = ("title", "workspace_id", "created_at", "updated_at")
    return {"id": body["id"], "object": "mave_thread", **{name: body[name] for name in names}}
