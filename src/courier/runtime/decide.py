"""Whether a courier group runs now. Pure: the same answer under every engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from courier.config.project import Constraint, CourierGroup

Answer = Literal["run", "wait", "blocked", "covered", "idle"]


@dataclass(frozen=True)
class PastRun:
    """A run of a group: `scheduled` is its instant S (for a run by hand, its start)."""

    group: str
    scheduled: datetime
    succeeded: bool


@dataclass(frozen=True)
class Decision:
    """What to do at `instant`, and why. `until` is when a waiting group is asked for the last time."""

    answer: Answer
    reason: str = ""
    until: datetime | None = None


def decide(group: CourierGroup, instant: datetime | None, now: datetime, runs: Sequence[PastRun]) -> Decision:
    """What the group does about its fire at `instant`: run, wait for constraints, blocked, covered already, or idle."""
    if instant is None or instant > now:
        return Decision("idle", "nothing is due")
    if not group.enabled:
        return Decision("idle", "the group is not enabled")
    if any(run.group == group.name and run.succeeded and run.scheduled >= instant for run in runs):
        return Decision("covered", "a later run has covered it")
    unmet = [constraint for constraint in group.constraints if not holds(constraint, instant, runs)]
    if not unmet:
        return Decision("run")
    until = instant + min(constraint.wait for constraint in unmet)
    names = ", ".join(sorted(constraint.group for constraint in unmet))
    if now <= until:
        return Decision("wait", f"waits for a successful run of {names}", until)
    return Decision("blocked", f"no successful run of {names} in time", until)


def holds(constraint: Constraint, instant: datetime, runs: Sequence[PastRun]) -> bool:
    """A successful run of the constraint's group, scheduled in [S - offset, S + wait]."""
    first, last = instant - constraint.offset, instant + constraint.wait
    return any(run.group == constraint.group and run.succeeded and first <= run.scheduled <= last for run in runs)


def looked_at_since(group: CourierGroup, instant: datetime) -> datetime:
    """Runs scheduled earlier than this say nothing about the group's fire at `instant`."""
    return instant - max([constraint.offset for constraint in group.constraints], default=timedelta(0))


def deadline(instant: datetime, wait: timedelta) -> datetime:
    """How long an unreachable source may take before its courier fails."""
    return instant + wait


def fix_of_blocked(group: CourierGroup, place: str = "") -> str:
    """What to type where a group is blocked. `place`: an option that every command needs there."""
    others = " or ".join(f"courier run --group {constraint.group}{place}" for constraint in group.constraints)
    return f"{others}; or courier run --group {group.name}{place} --ignore-constraints"
