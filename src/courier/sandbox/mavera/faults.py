"""Faults on demand: what Mavera, or the network before it, does to a client on a bad day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courier.sandbox.faults import Faults, read

RESPONSES, PERSONAS, CHAT = "POST /api/v1/responses", "POST /api/v1/personas", "POST /api/v1/mave/chat"
SPOILING = ("invalid_json", "broken_schema", "foreign_evidence", "wrong_figure", "wrong_sum")
"""What is wrong with an answer that was to keep to a schema."""
MISSING = ("missing_answer", "wrong_score")
"""What is wrong with what a focus group says in the end."""
# A fault of these kinds meets only requests that begin so, whatever else `contains` asks for.
POINTS = {
    "no_credits": ("POST",),
    "duplicate": (PERSONAS, "PATCH /api/v1/personas"),
    "taken": (PERSONAS,),
    "refusal": (RESPONSES,),
    **dict.fromkeys(SPOILING, (RESPONSES, CHAT)),
    "clarification": (CHAT,),
    **dict.fromkeys(MISSING, ("POST /api/v1/focus-groups",)),
    "failed": ("POST /api/v1/focus-groups", "POST /api/v1/brand-voices"),
    "same_cursor": ("GET",),
}
KINDS = frozenset(POINTS) | {"status", "html", "reset", "slow", "no_answer", "status_after", "torn", "cut_off"}


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `times` times, with requests that match.

    Before anything is done about the request:
      status (`status` 429, 500, 503 ...; `retry_after`), html (the same as a page of HTML), reset (a TCP reset), slow
      (`seconds`, really waited; then the request is carried out), no_credits (402), duplicate (`status`, though nobody
      has that name), taken (somebody else makes a persona of that name first)
    After it took effect:
      no_answer (the connection stays silent for `seconds`, or until the client gives up, and is closed; 0: at once),
      status_after (`status` instead of the answer), torn (half of the JSON, whole for HTTP), cut_off (the body ends
      before its length)
    Of what is answered:
      refusal (of /responses), invalid_json, broken_schema, foreign_evidence, wrong_figure, wrong_sum (of what has a
      schema: /responses and Mave), clarification (Mave asks), failed (the focus group or brand voice will fail),
      missing_answer, wrong_score (of a focus group's first question), same_cursor (a page tells its own cursor as
      the next)
    contains: only requests with this text in `METHOD /path?query`, a newline, and the body
    nth:      only from the nth request that matches (1 is the first); times: how often; 0 is for ever
    """

    kind: str
    contains: str = ""
    nth: int = 1
    times: int = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 0.0


def read_fault(given: Mapping[str, Any]) -> Fault:
    """A fault of JSON. Raises UsageError on a key or kind that there is not."""
    return read(Fault, KINDS, given)


def no_faults() -> Faults[Fault]:
    """Where Mavera's faults wait: none yet."""
    return Faults(read_fault, lambda fault, text: text.startswith(POINTS.get(fault.kind, ("",))))
