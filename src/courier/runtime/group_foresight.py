"""What a run of a group would wait for and start besides its couriers. Asks the history, changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from courier.clock import rfc3339
from courier.config.durations import format_duration
from courier.config.project import Constraint, CourierGroup
from courier.runtime.decide import Decision, holds
from courier.runtime.group_activations import activations_of
from courier.runtime.group_run import Asked, decision_on
from courier.runtime.history import History


@dataclass(frozen=True)
class ForeseenConstraint:
    """holds: whether a successful run is there now. until: how long one would be waited for."""

    constraint: Constraint
    holds: bool
    until: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "group": self.constraint.group,
            "offset": format_duration(self.constraint.offset),
            "wait": format_duration(self.constraint.wait),
            "holds": self.holds,
            "until": rfc3339(self.until),
        }


@dataclass(frozen=True)
class GroupForesight:
    """instant: S. decision: what the group would do now. activations: none where the run is of the type `source`."""

    instant: datetime
    decision: Decision
    constraints: tuple[ForeseenConstraint, ...]
    activations: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        until = self.decision.until
        return {
            "scheduled": rfc3339(self.instant),
            "decision": {
                "answer": self.decision.answer,
                "reason": self.decision.reason,
                "until": rfc3339(until) if until else None,
            },
            "constraints": [one.as_json() for one in self.constraints],
            "activations": list(self.activations),
        }


def foresee_group(history: History, group: CourierGroup, asked: Asked, now: datetime) -> GroupForesight:
    """What the group would do if it were asked now; for an instant to come, as if nothing happened until then."""
    decision = decision_on(history, group, asked, now)
    asks = () if asked.ignore_constraints else group.constraints
    constraints = tuple(_foresee(history, constraint, asked.instant) for constraint in asks)
    return GroupForesight(asked.instant, decision, constraints, activations_of(group))


def _foresee(history: History, constraint: Constraint, instant: datetime) -> ForeseenConstraint:
    runs = history.counting([constraint.group], instant - constraint.offset)
    return ForeseenConstraint(constraint, holds(constraint, instant, runs), instant + constraint.wait)
