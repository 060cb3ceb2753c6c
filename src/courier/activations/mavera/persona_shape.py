"""The persona of Mavera's API reference: its fields and their types, and both ways to send one. Pure.

Documented: name, type, pipeline_type and the fields below, flat, as the reference's examples show them; names of 2-100
letters. From the published integrations: `demographic.custom_attributes`, which the reference does not have.
Inferred: that a list replaces the list before it, and that an update with an empty value empties a field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from courier.activations.mavera.shaped import Filled, Shaped, as_text, plain, same
from courier.config.activation import Persona
from courier.config.suggestions import closest

TYPES = ("B2B", "B2C")
PIPELINE_TYPES = ("north_star", "intermediate", "advanced")
IDENTITY = ("name", "type", "pipeline_type", "description")
_LISTS = """alternatives channels committee_mapping goals household_context key_differentiators lifestyle_affinities
    local_channels local_keywords local_objections objections pains primary_objectives procurement_constraints
    proof_preferences proof_types regulatory_context role_segment tech_stack tone_guardrails triggers values
    win_factors"""
_TEXTS = """age_band brand_voice_fit budget_authority buying_stage company_size decision_role income_band industry
    life_stage locale_scope locale_value primary_use_case purchase_cadence reading_level role_title seniority"""
LISTS, TEXTS = frozenset(_LISTS.split()), frozenset(_TEXTS.split())
OTHERS: Mapping[str, type] = {"is_localized": bool, "mcda_weights": Mapping}
KNOWN = LISTS | TEXTS | frozenset(OTHERS)
SHORTEST_NAME, LONGEST_NAME = 2, 100


def payload_of(body: Persona, filled: Filled) -> Shaped:
    """The body of a POST. A field that is None is absent. Fields beyond the reference pass, unless they look like a
    misspelt one: the published list of fields is cut off."""
    payload: dict[str, Any] = {"pipeline_type": body.pipeline_type, "name": filled.get("name", body.name)}
    payload |= {"type": body.type, "description": _trimmed(filled.get("description"))}
    given: Mapping[str, Any] = filled.get("fields") or {}
    payload |= {name: _typed(name, value) for name, value in given.items()}
    if body.dialect == "seed" and filled.get("attributes"):
        payload["demographic"] = {"custom_attributes": _attributes(filled["attributes"])}
    payload = {name: value for name, value in payload.items() if value is not None}
    return Shaped(payload, tuple(_problems(payload, given)))


def _trimmed(text: Any) -> Any:
    return text.strip() if isinstance(text, str) else text


def _typed(name: str, value: Any) -> Any:
    if name in LISTS and isinstance(value, (list, tuple)):
        return [as_text(item) for item in value if item is not None]
    return as_text(value) if name in TEXTS else plain(value)


def _attributes(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """key -> most_common and sample_size, as the published integration sends them, in the order of their names."""
    found = {str(row["key"]): row for row in rows if row.get("key") is not None and row.get("value") is not None}
    return {key: _attribute(found[key]) for key in sorted(found)}


def _attribute(row: Mapping[str, Any]) -> dict[str, Any]:
    more = {name: plain(value) for name, value in row.items() if name not in ("key", "value", "sample")}
    return {"most_common": plain(row["value"]), "sample_size": plain(row.get("sample")), **more}


def _problems(payload: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    name = payload.get("name")
    found = []
    if not isinstance(name, str) or not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        found.append(f"a persona's name has {SHORTEST_NAME} to {LONGEST_NAME} letters")
    if payload["type"] not in TYPES:
        found.append(f"`type` is one of {', '.join(TYPES)}")
    if payload["pipeline_type"] not in PIPELINE_TYPES:
        found.append(f"`pipeline_type` is one of {', '.join(PIPELINE_TYPES)}")
    if not payload.get("description"):
        found.append("`description` is empty")
    return found + [problem for field in fields if (problem := _field_problem(field, payload.get(field)))]


def _field_problem(name: str, value: Any) -> str:
    if name in (*IDENTITY, "demographic"):
        return f"`fields.{name}` stands beside `fields`, not in it"
    if name not in KNOWN:
        meant = closest(name, KNOWN)
        return f"Mavera's personas have no field `{name}`. Did you mean `{meant}`?" if meant else ""
    wanted = list if name in LISTS else str if name in TEXTS else OTHERS[name]
    if value is None or (isinstance(value, wanted) and _texts_only(value)):
        return ""
    return f"`fields.{name}` must be {_WORDS[wanted]}"


def _texts_only(value: Any) -> bool:
    return not isinstance(value, list) or all(isinstance(item, str) and item for item in value)


_WORDS: Mapping[Any, str] = {list: "a list of texts", str: "a text", bool: "true or false", Mapping: "an object"}


def not_echoed(sent: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that were sent and that the answer does not show as sent, in `details` or at its top."""
    details = answer.get("details")
    shown = {**answer, **(details if isinstance(details, Mapping) else {})}
    for name in IDENTITY:
        shown[name] = answer.get(name, shown.get(name))
    shown["type"] = shown["type"] if shown["type"] is not None else shown.get("persona_type")
    return tuple(name for name, value in sent.items() if not _echoes(value, shown.get(name)))


def _echoes(sent: Any, shown: Any) -> bool:
    if not sent and not shown and not isinstance(sent, bool):
        return True
    if isinstance(sent, str) and isinstance(shown, str):
        return sent.strip() == shown.strip()
    return same(sent, shown)


def emptied(before: Any) -> Any:
    """What an update sends for a field that is no longer wanted."""
    for kind, empty in ((bool, False), (str, ""), ((list, tuple), []), (Mapping, {})):
        if isinstance(before, kind):
            return empty
    return None
