"""/personas: list, create, update.

Documented: the list row without details, the fields of create and of the answer, 201 and 300 credits, names of 2 to 100
characters, base personas that are read-only, `category` and custom-only filters and a search by name or description.
Inferred: the names of these query parameters, that `name` is ignored, that unknown fields are dropped without a word,
that a list replaces the one before, the required fields, and that reading or deleting one persona is not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.made_up import persona
from courier.sandbox.mavera.paging import page
from courier.sandbox.mavera.refusals import duplicate, forbidden, invalid, missing
from courier.sandbox.mavera.store import Node

CREDITS = 300
PIPELINES = ("north_star", "intermediate", "advanced")
TYPES = ("B2B", "B2C")
# The 43 fields of `details` that the reference shows. `type` is shown there as `persona_type`.
TEXTS = (
    "pipeline_type",
    "persona_type",
    "primary_use_case",
    "buying_stage",
    "decision_role",
    "brand_voice_fit",
    "reading_level",
    "role_title",
    "seniority",
    "industry",
    "company_size",
    "budget_authority",
    "life_stage",
    "age_band",
    "income_band",
    "purchase_cadence",
    "locale_scope",
    "locale_value",
)
LISTS = (
    "role_segment",
    "primary_objectives",
    "goals",
    "pains",
    "triggers",
    "channels",
    "proof_types",
    "alternatives",
    "win_factors",
    "objections",
    "values",
    "proof_preferences",
    "tone_guardrails",
    "tech_stack",
    "procurement_constraints",
    "committee_mapping",
    "household_context",
    "lifestyle_affinities",
    "key_differentiators",
    "regulatory_context",
    "local_channels",
    "local_objections",
    "local_keywords",
)
WEIGHTS, LOCALIZED = "mcda_weights", "is_localized"
FIELDS = (*TEXTS, *LISTS, WEIGHTS, LOCALIZED)


def listed(account: Account, ask: Ask) -> Answer:
    """GET /personas. Nothing of what is sent on creation is shown but name and description."""
    found = page(account.store, ask, "persona", lambda body: _wanted(body, ask.query), _row)
    if not account.settings.persona_paging:
        del found["has_more"]
    return Answer({account.settings.personas_key if key == "data" else key: value for key, value in found.items()})


def _wanted(body: Node, query: Mapping[str, str]) -> bool:
    text = query.get("search", "").lower()
    custom = query.get("is_custom")
    return (
        (not text or text in body["name"].lower() or text in (body["description"] or "").lower())
        and (custom is None or (custom.lower() == "true") == body["is_custom"])
        and query.get("category", body["category"]) == body["category"]
    )


def _row(body: Node) -> Node:
    names = ("name", "category", "description", "is_custom", "is_expert", "created_at")
    return {"id": body["id"], "object": "persona", **{name: body[name] for name in names}}


def created(account: Account, ask: Ask) -> Answer:
    """POST /personas."""
    settings, sent = account.settings, dict(ask.body)
    if not settings.needs_pipeline_type:
        sent.setdefault("pipeline_type", "north_star")
    for name in ("name", "pipeline_type", "type" if sent.get("pipeline_type") in PIPELINES[1:] else "description"):
        if sent.get(name) is None:
            raise missing(name)
    body = make(account, sent)
    account.charge(ask.call, body["id"], CREDITS)
    return Answer(shown(account, body), 201)


def make(account: Account, sent: Mapping[str, Any]) -> Node:
    """A custom persona of these fields, without any charge. Raises Refused."""
    _check(account, sent)
    body = persona(sent["name"], "Custom", sent.get("description") or "", account.seconds(), custom=True)
    body["given"] = _stuck(account, sent)
    return account.store.add("persona", {"id": account.store.new_id(), **body})


def updated(account: Account, ask: Ask) -> Answer:
    """PATCH /personas/{id}."""
    body = account.need("persona", "Persona", ask.part)
    if not body["is_custom"]:
        raise forbidden("Only custom personas can be modified - base personas are read-only")
    body = edit(account, body, ask.body)
    if account.settings.update_credits:
        account.charge(ask.call, body["id"], account.settings.update_credits)
    return Answer(shown(account, body))


def edit(account: Account, body: Node, sent: Mapping[str, Any]) -> Node:
    """The persona with these fields changed, without any charge. Raises Refused."""
    _check(account, sent, body["id"])
    plain = {name: sent[name] for name in ("name", "description") if sent.get(name) is not None}
    return account.store.put("persona", {**body, **plain, "given": {**body["given"], **_stuck(account, sent)}})


def _check(account: Account, sent: Mapping[str, Any], identity: str = "") -> None:
    name = sent.get("name")
    if "name" in sent and not (isinstance(name, str) and 2 <= len(name) <= 100):
        raise invalid("name", "must be a text of 2 to 100 characters")
    for field, choices in (("pipeline_type", PIPELINES), ("type", TYPES)):
        if sent.get(field) is not None and sent[field] not in choices:
            raise invalid(field, f"must be one of {', '.join(choices)}")
    for field, value in sent.items():
        if value is not None and not _fits(field, value):
            raise invalid(field, "is of another type")
    others = (body for body in account.store.every("persona") if body["is_custom"] and body["id"] != identity)
    if any(body["name"] == name for body in others):
        raise duplicate(account.settings.duplicate_status)


def _fits(field: str, value: Any) -> bool:
    if field in LISTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if field in TEXTS or field == "description":
        return isinstance(value, str)
    if field == WEIGHTS:
        return isinstance(value, dict)
    return field != LOCALIZED or isinstance(value, bool)


def _stuck(account: Account, sent: Mapping[str, Any]) -> Node:
    """What of a body is kept, by the names of `details`."""
    settings = account.settings
    known = {*FIELDS, "type", *settings.accepted_fields} - {"persona_type", *settings.dropped_fields}
    return {"persona_type" if field == "type" else field: value for field, value in sent.items() if field in known}


def shown(account: Account, body: Node) -> Node:
    """A custom persona as create and update answer it: `details` is what stuck.

    `credits_charged` is 300 on both, as the reference's example has it ("charged for creation").
    """
    given, dropped = body["given"], account.settings.dropped_fields
    details = {**dict.fromkeys(FIELDS), **{name: [] for name in LISTS}, WEIGHTS: {}, **given}
    names = ("name", "category", "description")
    return {
        "id": body["id"],
        "object": "custom_persona",
        **{name: body[name] for name in names},
        "pipeline_type": given.get("pipeline_type"),
        "type": given.get("persona_type"),
        "is_custom": True,
        "created_at": body["created_at"],
        "credits_charged": CREDITS,
        "details": {name: value for name, value in details.items() if name not in dropped},
    }
