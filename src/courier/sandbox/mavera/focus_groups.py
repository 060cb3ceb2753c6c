"""POST /focus-groups and GET /focus-groups/{id}.

Documented: asynchronous, asked about until it has ended, a workspace is needed, 50 to 200 credits, 5 at once; by the
examples about 50-75 for 10-25 respondents and 2 per question, 100-125 for 50 respondents with 5 questions. Secondary
sources only: PENDING, PROCESSING, COMPLETED; 1-10 personas, 1-20 questions, the twelve types. Inferred: the names of
all fields (others by the setting `focus_group_names`), FAILED, and that a group is charged when it is made, for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.sandbox.faults import find
from courier.sandbox.mavera import progress
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.faults import MISSING
from courier.sandbox.mavera.limits import FOCUS_GROUPS
from courier.sandbox.mavera.refusals import invalid, missing, too_many
from courier.sandbox.mavera.responses import need_persona
from courier.sandbox.mavera.results import OPTIONS, TYPES, results
from courier.sandbox.mavera.store import Node
from courier.sandbox.mavera.workspaces import workspace_of

WORDS = {"pending": "PENDING", "running": "PROCESSING", "completed": "COMPLETED", "failed": "FAILED"}
LEAST_CREDITS, MOST_CREDITS = 50, 200
MOST_PERSONAS, MOST_QUESTIONS, MOST_RESPONDENTS = 10, 20, 500
WAIT = 30  # seconds of Retry-After when five are running


def created(account: Account, ask: Ask) -> Answer:
    """POST /focus-groups."""
    given = _renamed(ask.body, _inbound(account.settings.focus_group_names))
    place = workspace_of(account, given, needed=True)
    personas, questions = _personas(account, given), _questions(account, given)
    respondents = _respondents(given, len(personas))
    running = [body for body in account.store.every("focus_group") if _state(account, body) in ("pending", "running")]
    if len(running) >= FOCUS_GROUPS:
        raise too_many(WAIT, f"At most {FOCUS_GROUPS} focus groups at once")
    body = {
        "id": account.store.new_id("fg_"),
        "name": given.get("name") or "Focus group",
        "workspace_id": place,
        "persona_ids": personas,
        "questions": questions,
        "sample_size": respondents,
        "credits": credits(respondents, len(questions)),
        **progress.begun(account, fails=account.settings.focus_group_fails or bool(find(ask.faults, "failed"))),
        "spoiled": next((one.kind for one in ask.faults if one.kind in MISSING), None),
        "created_at": account.iso(),
    }
    account.charge(ask.call, body["id"], body["credits"])
    return Answer(_shown(account, account.store.add("focus_group", body)), 201)


def credits(respondents: int, questions: int) -> int:
    """What a group costs, on the line through the examples, within what is documented."""
    base = 50 + (respondents - 10) * 25 / 15 if respondents <= 25 else 50 + respondents
    return round(min(MOST_CREDITS, max(LEAST_CREDITS, base + 2 * questions)))


def _personas(account: Account, given: Mapping[str, Any]) -> list[str]:
    personas = given.get("persona_ids")
    if personas is None:
        raise missing("persona_ids")
    if not isinstance(personas, list) or not 1 <= len(personas) <= MOST_PERSONAS:
        raise invalid("persona_ids", f"must be a list of 1 to {MOST_PERSONAS}")
    for identity in personas:
        need_persona(account, identity)
    return personas


def _questions(account: Account, given: Mapping[str, Any]) -> list[Node]:
    questions = given.get("questions")
    if questions is None:
        raise missing("questions")
    if not isinstance(questions, list) or not 1 <= len(questions) <= MOST_QUESTIONS:
        raise invalid("questions", f"must be a list of 1 to {MOST_QUESTIONS}")
    return [_question(account, one, f"questions[{index}]") for index, one in enumerate(questions)]


def _question(account: Account, given: Any, at: str) -> Node:
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise missing(f"{at}.text")
    kind = str(given.get("type", "")).lower()
    if kind not in TYPES:
        raise invalid(f"{at}.type", f"must be one of {', '.join(TYPES)}")
    options = given.get("options") or []
    if not isinstance(options, list) or not all(isinstance(one, str) for one in options):
        raise invalid(f"{at}.options", "must be a list of texts")
    if kind in OPTIONS and len(options) < 2:
        raise invalid(f"{at}.options", "must be at least two")
    return {"id": account.store.new_id("q_"), "text": given["text"], "type": kind, "options": options}


def _respondents(given: Mapping[str, Any], personas: int) -> int:
    """`sample_size`, or `responses` per persona."""
    name = "responses" if given.get("sample_size") is None else "sample_size"
    found = given.get(name) if given.get(name) is not None else 10
    times = personas if name == "responses" else 1
    if not isinstance(found, int) or not 1 <= found * times <= MOST_RESPONDENTS:
        raise invalid(name, f"must be a number of at most {MOST_RESPONDENTS} respondents")
    return found * times


def read(account: Account, ask: Ask) -> Answer:
    """GET /focus-groups/{id}."""
    body = account.need("focus_group", "Focus group", ask.part)
    return Answer(_shown(account, progress.looked_at(account, "focus_group", body)))


def _state(account: Account, body: Node) -> str:
    return progress.status(account, body, account.settings.focus_group_polls, account.settings.focus_group_seconds)


def _shown(account: Account, body: Node) -> Node:
    settings, now = account.settings, _state(account, body)
    plain = ("id", "name", "workspace_id", "persona_ids", "questions", "sample_size", "created_at")
    found = {
        "object": "focus_group",
        **{name: body[name] for name in plain},
        "status": {**WORDS, **settings.focus_group_words}[now],
        "usage": {"credits_used": body["credits"]},
        "results": results(body, _named(account, body)) if now == "completed" else None,
        "error": "The respondents could not be asked" if now == "failed" else None,
    }
    renamed: Node = _renamed(found, settings.focus_group_names)
    return renamed


def _named(account: Account, body: Node) -> dict[str, str]:
    found = {identity: account.store.get("persona", identity) for identity in body["persona_ids"]}
    return {identity: persona["name"] if persona else "(deleted)" for identity, persona in found.items()}


def _inbound(names: Mapping[str, str]) -> dict[str, str]:
    """Their names to ours; ours, where there is another for it, is unknown to them."""
    return {**{ours: f"not {ours}" for ours in names}, **{theirs: ours for ours, theirs in names.items()}}


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """With other names of fields, at every depth."""
    if isinstance(node, dict):
        return {names.get(name, name): _renamed(value, names) for name, value in node.items()}
    return [_renamed(item, names) for item in node] if isinstance(node, list) else node
