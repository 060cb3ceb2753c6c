"""What tests may set of the made-up account. It lasts as the account's state does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from courier.errors import UsageError

Answers = Literal["valid", "refusal", "invalid_json", "broken_schema", "foreign_evidence", "wrong_figure", "wrong_sum"]
_CHOICES = {
    "duplicate_status": (400, 409, 422),
    "key": ("active", "revoked", "expired"),
    "answers": get_args(Answers),
    "latency": ("clock", "sleep"),
    "app_inputs_key": ("input_schema", "input_data"),
}


@dataclass(frozen=True)
class Settings:
    """Where public pages contradict each other, the first of them is the default and the others can be set.

    plan, credits_included:  Professional has 5,000 a month (documented)
    requests_per_minute:     documented are 60, 120, 240 and 600 by plan; 600 here, so that demos are quick
    update_credits:          what PATCH of a persona costs (inferred: nothing)
    duplicate_status:        422 (Shopify cohort page) or the 400 and 409 that others would answer
    accepted_fields:         persona fields beside the documented ones that stick: `demographic`, `attributes`
    dropped_fields:          documented persona fields that are silently dropped all the same
    needs_pipeline_type:     the reference has it; the published jobs leave it out
    personas_key:            what a list of personas calls its rows: `data` (reference), `personas` (a job's code)
    persona_paging:          personas' lists have `has_more` too (not shown by their example); else `next_cursor` alone
    needs_persona:           /responses without `persona_id` is refused (reference), or works (feature page)
    chat_seconds:            that Mave takes (documented: 30-90)
    latency:                 clock: such seconds pass on the shop's clock at once. sleep: they are waited
    answers:                 what /responses and Mave answer to a JSON Schema (Mave never refuses)
    focus_group_polls, _seconds: a group is done when it was asked about more often than that and is older than that
    focus_group_names:       our word of a field -> another one, in requests and answers
    focus_group_words, brand_voice_words: pending, running, completed, failed -> how that is spelled, "READY"
    app_inputs_key, app_as_object, upper_content_type: how generations spell what pages contradict each other about
    needs_workspace:         generations and brand voices need `workspace_id` (feature page), or take the default one
    """

    plan: str = "Professional"
    credits_included: int = 5_000
    requests_per_minute: int = 600
    usage_limit: int | None = None
    budget_alert: int | None = None
    auto_recharge: bool = False
    key: str = "active"
    subscription_expired: bool = False
    update_credits: int = 0
    duplicate_status: int = 422
    accepted_fields: tuple[str, ...] = ()
    dropped_fields: tuple[str, ...] = ()
    needs_pipeline_type: bool = True
    personas_key: str = "data"
    persona_paging: bool = True
    needs_persona: bool = False
    chat_seconds: float = 0.0
    latency: str = "clock"
    answers: str = "valid"
    app_inputs_key: str = "input_schema"
    app_as_object: bool = True
    upper_content_type: bool = False
    needs_workspace: bool = False
    brand_voice_polls: int = 1
    focus_group_polls: int = 2
    focus_group_seconds: float = 0.0
    focus_group_fails: bool = False
    focus_group_names: Mapping[str, str] = field(default_factory=dict)
    focus_group_words: Mapping[str, str] = field(default_factory=dict)
    brand_voice_words: Mapping[str, str] = field(default_factory=dict)


def changed(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings with some others. Raises UsageError on a name or value that there is not."""
    known = {one.name: getattr(Settings(), one.name) for one in fields(Settings)}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"no such setting: {name!r}", fix=f"settings: {', '.join(sorted(known))}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise UsageError(f"{name} cannot be {value!r}", fix=f"one of: {_CHOICES[name]}")
    return replace(settings, **{name: _as(known[name], value) for name, value in given.items()})


def _as(like: Any, value: Any) -> Any:
    """JSON has lists where settings have tuples."""
    return tuple(value) if isinstance(like, tuple) else value
