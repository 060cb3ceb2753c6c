"""A group's run as alerts see it, and what an alert is: values without behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from courier.config.project import AlertKind, CourierGroup
    from courier.runtime.result import CourierResult, GroupResult, Result

Trigger = Literal["schedule", "hand"]


@dataclass(frozen=True)
class AlertedCourier:
    """What came of one courier of the run. `changed`: rows inserted, updated or deleted, over all of its feeds."""

    courier: str
    run: str
    result: Result
    read: int = 0
    changed: int = 0
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True)
class AlertedRun:
    """A run of a group that has ended, or that is still under way.

    result: "running" until it ends.
    until: when it ended; of one under way, the present.
    alert_after: the group's own; a run that takes longer is late.
    told_late: the run's `late` alert has gone out already, while it was under way.
    problem, fix: of the run as a whole, as the constraint that did not hold.
    """

    group: str
    run: str
    trigger: Trigger
    scheduled: datetime
    started: datetime
    until: datetime
    result: Result | Literal["running"]
    couriers: tuple[AlertedCourier, ...] = ()
    alert_after: timedelta | None = None
    told_late: bool = False
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Alert:
    """One thing to be told. `text` has a line or more and holds no secret and no customer's value.

    command: what to type next.
    """

    kind: AlertKind
    group: str
    run: str
    text: str
    command: str


def alerted_run(
    result: GroupResult, group: CourierGroup, scheduled: datetime, trigger: Trigger, *, told_late: bool = False
) -> AlertedRun:
    """A group's result, as alerts need it."""
    return AlertedRun(
        group=group.name,
        run=result.run,
        trigger=trigger,
        scheduled=scheduled,
        started=result.started,
        until=result.ended,
        result=result.result,
        couriers=tuple(alerted_courier(one) for one in result.couriers),
        alert_after=group.alert_after,
        told_late=told_late,
        problem=result.problem,
        fix=result.fix,
    )


def alerted_courier(result: CourierResult) -> AlertedCourier:
    """A courier's result, as alerts need it."""
    counts = [feed.counters for feed in result.feeds]
    return AlertedCourier(
        courier=result.courier,
        run=result.run,
        result=result.result,
        read=sum(count.read for count in counts),
        changed=sum(count.inserted + count.updated + count.deleted for count in counts),
        problem=result.problem,
        fix=result.fix,
    )
