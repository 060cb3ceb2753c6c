"""Faults on demand: what Mavera, or the network before it, does to a client on a bad day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

from courier.errors import UsageError

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
    known = {field.name for field in fields(Fault)}
    unknown = sorted(set(given) - known)
    if unknown or given.get("kind") not in KINDS:
        raise UsageError(
            f"no such fault: {unknown or given.get('kind')}", fix=f"kinds: {sorted(KINDS)}; keys: {sorted(known)}"
        )
    return Fault(**given)


class Faults:
    """The faults that wait for their request. Safe to use from the thread that tests and the one that serves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[tuple[Fault, list[int]]] = []  # with [seen, done]

    def add(self, *faults: Fault | Mapping[str, Any]) -> None:
        made = [fault if isinstance(fault, Fault) else read_fault(fault) for fault in faults]
        for fault in made:
            read_fault({"kind": fault.kind})
        with self._lock:
            self._pending.extend((fault, [0, 0]) for fault in made)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[Fault]:
        with self._lock:
            return [fault for fault, _ in self._pending]

    def due(self, text: str) -> tuple[Fault, ...]:
        """The faults that hit this request; each hit counts."""
        with self._lock:
            hit = tuple(fault for fault, counts in self._pending if _hits(fault, counts, text))
            self._pending = [(i, counts) for i, counts in self._pending if not i.times or counts[1] < i.times]
            return hit


def _hits(fault: Fault, counts: list[int], text: str) -> bool:
    if fault.contains not in text or not text.startswith(POINTS.get(fault.kind, ("",))):
        return False
    counts[0] += 1
    if counts[0] < fault.nth:
        return False
    counts[1] += 1
    return True


def find(faults: Iterable[Fault], *kinds: str) -> Fault | None:
    return next((fault for fault in faults if fault.kind in kinds), None)
