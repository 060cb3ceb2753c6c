"""Many stores in few lines: what is the same for several stores of one courier is told once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from courier.config.project import Project

T = TypeVar("T")
MOST_LISTED = 16
"""Stores of one courier that are told one by one."""


def gathered(
    project: Project, found: Iterable[T], courier: Callable[[T], str], alike: Callable[[T], Hashable]
) -> list[tuple[str, list[T]]]:
    """In their order, with what to call them: `shopify_uk`, or `shopify (200 stores)` for those that are alike."""
    together: dict[tuple[str, Hashable], list[T]] = {}
    for one in found:
        name = courier(one)
        together.setdefault((project.couriers[name].fleet or name, alike(one)), []).append(one)
    return [(_called(fleet, [courier(one) for one in held]), held) for (fleet, _), held in together.items()]


def _called(fleet: str, couriers: list[str]) -> str:
    return couriers[0] if len(couriers) == 1 else f"{fleet} ({len(couriers)} stores)"


def summed_up(fleet: str, states: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The states of a fleet's stores, as `courier status` tells them, as one: the furthest behind says how far."""
    counted: dict[str, int] = {}
    for one in states:
        counted[str(one["result"])] = counted.get(str(one["result"]), 0) + 1
    running = sum(1 for one in states if one["state"] == "running")
    marks = [str(one["loaded_up_to"]) for one in states if one["loaded_up_to"]]
    lags = [float(str(one["lag_seconds"])) for one in states if one["lag_seconds"] is not None]
    complete = len(marks) == len(states)
    return {
        "courier": f"{fleet} ({len(states)} stores)",
        "state": f"{running} running" if running else "idle",
        "last_run": max((str(one["last_run"]) for one in states if one["last_run"]), default=None),
        "result": ", ".join(f"{count} {result}" for result, count in counted.items()),
        "loaded_up_to": min(marks) if complete else None,
        "lag_seconds": max(lags) if complete else None,
    }
