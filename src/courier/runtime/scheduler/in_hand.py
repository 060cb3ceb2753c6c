"""What the schedule has to do about a group: pure, so that it is the same after every kill and every clock change.

A group stands where its fires have been taken in. One fire at a time is in hand: asked, waited for, run. One that comes
meanwhile is queued, and a later one takes its place. Missed fires are taken in as their latest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from courier.config.project import CourierGroup
from courier.runtime.decide import Answer, PastRun, decide
from courier.runtime.schedule import last_fire, next_fire

REWOUND = timedelta(days=1)
"""A clock that goes back less than this fires nothing twice; one that goes back further was wrong before."""
_MOMENT = timedelta(milliseconds=1)  # a wait holds until its last instant, included


@dataclass(frozen=True)
class Standing:
    """Where a group stands. All are instants in UTC.

    upto:   every fire until then is done, in hand, queued, or collapsed into one that is
    hand:   the fire that is being dealt with
    queued: the latest fire that came meanwhile
    """

    upto: datetime
    hand: datetime | None = None
    queued: datetime | None = None


@dataclass(frozen=True)
class Taken:
    """What came in: `fire` is the latest of the new ones, and takes the place of `collapsed`, which was queued.

    missed: more than one fire came in at once
    next:   the first fire that has not come yet
    """

    standing: Standing
    next: datetime | None
    fire: datetime | None = None
    collapsed: datetime | None = None
    missed: bool = False


@dataclass(frozen=True)
class Look:
    """What to do about the fire in hand, and why; `again` is when its answer changes by the clock alone."""

    answer: Answer
    reason: str
    again: datetime | None


def is_scheduled(group: CourierGroup | None) -> bool:
    return group is not None and group.enabled and group.schedule is not None


def first_standing(group: CourierGroup, kept: Standing | None, now: datetime, *, same_schedule: bool) -> Standing:
    """Where a group stands that comes, comes back, or whose schedule changed: it does not fire for the past.

    What is in hand or queued stays. `kept` is where it stood before; None for a group that was not scheduled.
    """
    if kept is None:
        return Standing(now)
    if not same_schedule or kept.upto > now + REWOUND:
        return replace(kept, upto=now)
    return kept


def take_in(group: CourierGroup, standing: Standing, now: datetime) -> Taken:
    """The fires of (upto, now], as their latest: in hand if nothing is, else queued in place of what was queued."""
    first = next_fire(group, standing.upto)
    if first is None or first > now:
        return Taken(_promoted(standing), first)
    fire = last_fire(group, now, standing.upto) or first
    free = standing.hand is None
    moved = Standing(fire, fire) if free else Standing(fire, standing.hand, fire)
    return Taken(moved, next_fire(group, fire), fire, standing.queued, fire != first)


def _promoted(standing: Standing) -> Standing:
    """What is queued is in hand as soon as nothing else is."""
    return Standing(standing.upto, standing.queued) if standing.hand is None else standing


def done(standing: Standing) -> Standing:
    """The fire in hand is over."""
    return replace(standing, hand=None)


def look(group: CourierGroup, standing: Standing, now: datetime, runs: Sequence[PastRun]) -> Look:
    """What to do about a group whose fires were taken in and of which nothing runs."""
    decision = decide(group, standing.hand, now, runs)
    until = decision.until + _MOMENT if decision.answer == "wait" and decision.until else None
    ahead = standing.hand if standing.hand and standing.hand > now else None  # the clock went back
    return Look(decision.answer, decision.reason, until or ahead)
