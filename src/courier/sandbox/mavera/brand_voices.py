"""/brand-voices: make, list, read, change. Made asynchronously, 50 credits at once.

Documented: label and usage_context, the answer's fields, the status words pending, generating, completed and failed; a
feature page says PENDING and READY instead (setting `brand_voice_words`). Inferred: when it is charged, and which
fields PATCH takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.sandbox.faults import find
from courier.sandbox.mavera import progress
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.paging import page
from courier.sandbox.mavera.refusals import invalid, missing
from courier.sandbox.mavera.store import Node
from courier.sandbox.mavera.workspaces import workspace_of

CREDITS = 50
WORDS = {"pending": "pending", "running": "generating", "completed": "completed", "failed": "failed"}
_LEAST = {"label": 2, "usage_context": 10}


def created(account: Account, ask: Ask) -> Answer:
    """POST /brand-voices."""
    for name in _LEAST:
        if ask.body.get(name) is None:
            raise missing(name)
    _check(ask.body)
    body = {
        "id": account.store.new_id("bv_"),
        **{name: ask.body[name] for name in _LEAST},
        "workspace_id": workspace_of(account, ask.body, needed=account.settings.needs_workspace),
        "urls": ask.body.get("urls") or [],
        "documents": ask.body.get("documents") or [],
        **progress.begun(account, fails=find(ask.faults, "failed") is not None),
        "created_at": account.iso(),
        "updated_at": account.iso(),
    }
    account.charge(ask.call, body["id"], CREDITS)
    return Answer(_shown(account, account.store.add("brand_voice", body)), 201)


def _check(body: Mapping[str, Any]) -> None:
    for name, least in _LEAST.items():
        if name in body and not (isinstance(body[name], str) and len(body[name]) >= least):
            raise invalid(name, f"must be a text of at least {least} characters")


def listed(account: Account, ask: Ask) -> Answer:
    """GET /brand-voices?workspace_id=&status=."""
    place, wanted = ask.query.get("workspace_id"), ask.query.get("status")

    def keep(body: Node) -> bool:
        return place in (None, body["workspace_id"]) and wanted in (None, _shown(account, body)["status"])

    return Answer(page(account.store, ask, "brand_voice", keep, lambda body: _shown(account, body)))


def read(account: Account, ask: Ask) -> Answer:
    """GET /brand-voices/{id}."""
    body = account.need("brand_voice", "Brand voice", ask.part)
    return Answer(_shown(account, progress.looked_at(account, "brand_voice", body)))


def updated(account: Account, ask: Ask) -> Answer:
    """PATCH /brand-voices/{id}: label and usage_context."""
    body = account.need("brand_voice", "Brand voice", ask.part)
    _check(ask.body)
    given = {name: ask.body[name] for name in _LEAST if name in ask.body}
    return Answer(_shown(account, account.store.put("brand_voice", {**body, **given, "updated_at": account.iso()})))


def state(account: Account, body: Node) -> str:
    """pending, running, completed or failed."""
    return progress.status(account, body, account.settings.brand_voice_polls, 0)


def _shown(account: Account, body: Node) -> Node:
    names = ("label", "usage_context", "workspace_id", "created_at", "updated_at")
    now = state(account, body)
    found = {"id": body["id"], "object": "brand_voice", **{name: body[name] for name in names}}
    found["status"] = {**WORDS, **account.settings.brand_voice_words}[now]
    return {**found, **(_voice(body) if now == "completed" else {}), "error": _error(now)}


def _error(now: str) -> str | None:
    return "The voice could not be read from its sources" if now == "failed" else None


def _voice(body: Node) -> Node:
    return {
        "voice_summary": f"Warm and plain. For: {body['usage_context'][:80]}",
        "tone": {"adjectives": ["warm", "plain"], "dos": ["Say what it does."], "donts": ["Do not shout."]},
        "writing_style": {"sentence_structure": "short", "jargon_usage": "none"},
        "vocabulary": {"preferred_terms": ["made to last"], "avoid_terms": ["cheap"]},
        "example_phrases": [{"use_case": "greeting", "example": "Good to see you."}],
        "sources": body["urls"],
    }
