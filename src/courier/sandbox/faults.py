"""Faults that wait for the requests that they are to spoil. What each of them does is said where it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar, get_type_hints

from courier.errors import UsageError


class Waiting(Protocol):
    """contains: only requests with this text; nth: only from the nth that matches (1 is the first); times: how often,
    0 is for ever."""

    @property
    def kind(self) -> str: ...
    @property
    def contains(self) -> str: ...
    @property
    def nth(self) -> int: ...
    @property
    def times(self) -> int: ...


F = TypeVar("F", bound=Waiting)


def read(fault: type[F], kinds: Collection[str], given: Mapping[str, Any]) -> F:
    """A fault of JSON: `fault` is a dataclass. Raises UsageError on a key or kind that there is not."""
    known = set(get_type_hints(fault))
    unknown = sorted(set(given) - known)
    if unknown or given.get("kind") not in kinds:
        raise UsageError(
            f"no such fault: {unknown or given.get('kind')}", fix=f"kinds: {sorted(kinds)}; keys: {sorted(known)}"
        )
    return fault(**given)


def find(faults: Iterable[F], *kinds: str) -> F | None:
    return next((fault for fault in faults if fault.kind in kinds), None)


class Faults(Generic[F]):
    """The faults that wait for their request. Safe to use from the thread that tests and the one that serves."""

    def __init__(self, read: Callable[[Mapping[str, Any]], F], meets: Callable[[F, str], bool]) -> None:
        """read: makes one of JSON. meets: whether one of this kind can meet a request with this text at all."""
        self._read, self._meets = read, meets
        self._lock = Lock()
        self._pending: list[tuple[F, list[int]]] = []  # with [seen, done]

    def add(self, *faults: F | Mapping[str, Any]) -> None:
        made = [self._read(fault) if isinstance(fault, Mapping) else fault for fault in faults]
        for fault in made:
            self._read({"kind": fault.kind})
        with self._lock:
            self._pending.extend((fault, [0, 0]) for fault in made)

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> list[F]:
        with self._lock:
            return [fault for fault, _ in self._pending]

    def due(self, text: str) -> list[F]:
        """The faults that hit this request; each hit counts."""
        with self._lock:
            hit = [fault for fault, counts in self._pending if self._hits(fault, counts, text)]
            self._pending = [(i, counts) for i, counts in self._pending if not i.times or counts[1] < i.times]
            return hit

    def _hits(self, fault: F, counts: list[int], text: str) -> bool:
        if fault.contains not in text or not self._meets(fault, text):
            return False
        counts[0] += 1
        if counts[0] < fault.nth:
            return False
        counts[1] += 1
        return True
