"""What came of an activation, as a value and as the JSON that scripts rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from courier.activations.apply import Carried, failures
from courier.activations.contract import Action, Item, Plan
from courier.clock import rfc3339

ActivationEnd = Literal["planned", "succeeded", "partial", "failed", "refused"]
ACTIONS: tuple[Action, ...] = ("create", "update", "unchanged", "skip")


@dataclass(frozen=True)
class ActivationResult:
    """plan: None where none could be made. run: of the apply, None where nothing was begun. credits: spent."""

    name: str
    result: ActivationEnd
    plan: Plan | None = None
    run: str | None = None
    credits: int = 0
    carried: tuple[Carried, ...] = ()
    problem: str = ""
    fix: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def is_bad(self) -> bool:
        return self.result not in ("planned", "succeeded")

    def as_json(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "name": self.name,
            "result": self.result,
            "run": self.run,
            "credits": self.credits,
            "hash": plan.hash if plan else None,
            "expected": list(plan.credits) if plan else None,
            "actions": counts(plan) if plan else {},
            "left_out": len(plan.left_out) if plan else 0,
            "problem": {"message": self.problem, "fix": self.fix} if self.problem else None,
        }


def counts(plan: Plan) -> dict[str, int]:
    """Action -> items."""
    found = Counter(item.action for item in plan.items)
    return {action: found[action] for action in ACTIONS}


def summary(plan: Plan) -> str:
    """`1 to create, 2 unchanged, 1 left out; 300 credits`."""
    words = {"create": "to create", "update": "to update", "unchanged": "unchanged", "skip": "skipped"}
    said = [f"{count} {words[action]}" for action, count in counts(plan).items() if count]
    said += [f"{len(plan.left_out)} left out"] if plan.left_out else []
    return f"{', '.join(said) or 'no item'}; {credits_text(plan.credits)}"


def credits_text(credits: tuple[int, int]) -> str:
    low, high = credits
    return f"{low} to {high} credits" if low != high else "1 credit" if low == 1 else f"{low} credits"


def judged(carried: Sequence[Carried], unknown: bool) -> ActivationEnd:
    """Of an apply. `unknown`: of some item, also of an earlier run, nobody can tell whether it took effect."""
    bad = list(failures(carried))
    if not bad:
        return "partial" if unknown else "succeeded"
    return "failed" if len(bad) == len(carried) else "partial"


def plan_json(plan: Plan) -> dict[str, Any]:
    """What `courier activate --json` says of a plan."""
    return {
        "activation": plan.activation,
        "hash": plan.hash,
        "as_of": rfc3339(plan.as_of) if plan.as_of else None,
        "items": [item_json(item) for item in plan.items],
        "left_out": [{"key": one.key, "guard": one.guard, "reason": one.reason} for one in plan.left_out],
        "credits": list(plan.credits),
        "notes": list(plan.notes),
    }


def item_json(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "name": item.name,
        "action": item.action,
        "reason": item.reason,
        "before": item.before,
        "after": item.after,
        "credits": list(item.credits),
        "remote_id": item.remote_id,
    }


def carried_json(one: Carried) -> dict[str, Any]:
    return {
        "key": one.item.key,
        "name": one.item.name,
        "action": one.item.action,
        "state": one.state,
        "remote_id": one.remote_id,
        "credits": one.credits,
        "ignored": list(one.ignored),
        "problems": list(one.problems),
        "problem": {"message": one.problem, "fix": one.fix} if one.problem else None,
    }
