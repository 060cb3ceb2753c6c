"""Faults on demand: what Klaviyo, a network or somebody else's work does to a client on a bad day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

from courier.errors import UsageError

KINDS = frozenset(
    {"status", "throttled", "reset", "truncated", "html", "slow", "duplicate_page", "hidden", "mutate", "bad_value"}
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `times` times, with requests that match.

    kind:     status (`status`, `retry_after`), throttled (429 with Retry-After: `seconds`), reset (closed in the middle
              of the body), truncated (half a body), html (a page of HTML with `status`), slow (`seconds`),
              duplicate_page (the page before comes again), hidden (`record` is missing from the page), mutate (an order
              is edited before the answer), bad_value (the attribute `field` of the first record becomes `value`)
    contains: only requests with this in `METHOD /path?query`; `nth`: only from the nth that matches (1 is the first)
    times:    how often; 0 is for ever
    """

    kind: str
    contains: str = ""
    nth: int = 1
    times: int = 1
    status: int = 503
    retry_after: float | None = None
    seconds: float = 1.0
    record: str = ""
    field: str = ""
    value: Any = None


def read_fault(given: Mapping[str, Any]) -> Fault:
    """A fault of JSON. Raises UsageError on a key or kind that there is not."""
    known = {field.name for field in fields(Fault)}
    unknown = sorted(set(given) - known)
    if unknown or given.get("kind") not in KINDS:
        fix = f"kinds: {sorted(KINDS)}; keys: {sorted(known)}"
        raise UsageError(f"no such fault: {unknown or given.get('kind')}", fix=fix)
    return Fault(**given)


class Faults:
    """The faults that wait for their request. Safe to use from the thread that tests and the one that serves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[tuple[Fault, list[int]]] = []  # with [seen, done]

    def add(self, *faults: Fault | Mapping[str, Any]) -> None:
        made = [fault if isinstance(fault, Fault) else read_fault(fault) for fault in faults]
        with self._lock:
            self._pending.extend((fault, [0, 0]) for fault in made)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[Fault]:
        with self._lock:
            return [fault for fault, _ in self._pending]

    def due(self, text: str) -> list[Fault]:
        """The faults that hit this request; each hit counts."""
        with self._lock:
            hit = [fault for fault, counts in self._pending if _hits(fault, counts, text)]
            self._pending = [(one, counts) for one, counts in self._pending if not one.times or counts[1] < one.times]
            return hit


def _hits(fault: Fault, counts: list[int], text: str) -> bool:
    if fault.contains not in text:
        return False
    counts[0] += 1
    if counts[0] < fault.nth:
        return False
    counts[1] += 1
    return True


def find(faults: Iterable[Fault], *kinds: str) -> Fault | None:
    return next((fault for fault in faults if fault.kind in kinds), None)
