"""Run a courier group: once its constraints hold, its couriers in parallel; the group's result is theirs together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Literal

from courier import clock
from courier.clock import rfc3339
from courier.config.project import CourierGroup, Project
from courier.errors import CourierError
from courier.runtime import events
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.decide import Decision, decide, fix_of_blocked
from courier.runtime.history import History
from courier.runtime.period import ByHand
from courier.runtime.place import group_lock
from courier.runtime.plan import Intention
from courier.runtime.result import CourierResult, GroupResult, Result
from courier.runtime.run_folder import fingerprint
from courier.runtime.run_name import name_of
from courier.storage.duck import is_interruption

Trigger = Literal["schedule", "hand", "retry"]


POLL_SECONDS = 15.0  # between looks at what a constraint waits for


@dataclass(frozen=True)
class Asked:
    """What was asked for: a period by hand, or None for the one since the watermark.

    now:       when it was asked
    scheduled: the instant S that a schedule fired for; None for a run by hand, whose S is `now`
    """

    now: datetime
    by_hand: ByHand | None = None
    feeds: tuple[str, ...] = ()
    scheduled: datetime | None = None
    ignore_constraints: bool = False

    @property
    def instant(self) -> datetime:
        """S."""
        return self.scheduled or self.now

    @property
    def trigger(self) -> Trigger:
        return "schedule" if self.scheduled else "hand"


def group_intentions(group: CourierGroup, asked: Asked) -> tuple[Intention, ...]:
    """What each courier of the group is to do, in the group's order."""
    return tuple(
        Intention(
            courier=courier.name,
            scheduled=asked.instant,
            offset=courier.offset,
            by_hand=asked.by_hand,
            group=group.name,
            wait=courier.wait,
        )
        for courier in group.couriers
    )


def run_group(context: Context, group: CourierGroup, asked: Asked) -> GroupResult:
    """Run all couriers of the group over their periods, as soon as its constraints hold.

    Blocked and covered are results, as failed is. Raises Locked where the group runs in another process.
    """
    run = name_of(group.name, clock.now())
    locked = group_lock(context.place, group.name, wait=context.wait_for_lock)
    with locked, _recorded(context, group, asked, run) as end:
        decision = _decided(context, group, asked)
        if decision.answer != "run":
            return end(_undone(run, group, asked, decision))
        intentions = [replace(one, group_run=run) for one in group_intentions(group, asked)]
        return end(together(run, group, asked, _run_all(context, intentions)))


def _decided(context: Context, group: CourierGroup, asked: Asked) -> Decision:
    """What the group is to do; asked again while it waits for others."""
    if asked.ignore_constraints:
        group = replace(group, constraints=())
    told = ""
    while True:
        decision = decision_on(context.history, group, asked, clock.now())
        if decision.answer != "wait":
            return decision
        assert decision.until is not None
        if decision.reason != told:
            told = decision.reason
            context.report(events.GroupWaits(courier="", run="", at=clock.now(), group=group.name, reason=told))
        clock.sleep(min(POLL_SECONDS, max(0.1, (decision.until - clock.now()).total_seconds() + 0.001)))


def decision_on(history: History, group: CourierGroup, asked: Asked, now: datetime) -> Decision:
    """What the group is to do at S, by its history: `decide` for a fire, constraints alone for a run by hand."""
    others = [constraint.group for constraint in group.constraints]
    since = asked.instant - max([constraint.offset for constraint in group.constraints], default=timedelta(0))
    names = others if asked.scheduled is None else [*others, group.name]
    runs = history.counting(names, since) if names else ()
    enabled = replace(group, enabled=True)  # whoever names a group means it
    return decide(enabled, asked.instant, max(now, asked.instant), runs)


def _undone(run: str, group: CourierGroup, asked: Asked, decision: Decision) -> GroupResult:
    result: Result = "covered" if decision.answer == "covered" else "blocked"
    problem, fix = ("", "") if result == "covered" else (decision.reason, fix_of_blocked(group))
    return GroupResult(run, group.name, result, asked.now, clock.now(), (), problem, fix)


@contextmanager
def _recorded(
    context: Context, group: CourierGroup, asked: Asked, run: str
) -> Iterator[Callable[[GroupResult], GroupResult]]:
    """The run in the history, from its beginning to whatever its end is."""
    scheduled, started = rfc3339(asked.instant), rfc3339(asked.now)
    context.history.begin_group(run, group.name, scheduled, asked.trigger, started, config_of(context.project, group))

    def end(result: GroupResult) -> GroupResult:
        ended, report = rfc3339(result.ended), result.as_json()
        values = (run, ended, result.result, result.problem, result.fix, report)
        context.history.end_group(*values, committed=result.committed)
        return result

    try:
        yield end
    except BaseException as error:
        result = "interrupted" if isinstance(error, KeyboardInterrupt) or is_interruption(error) else "failed"
        problem = error.message if isinstance(error, CourierError) else type(error).__name__
        context.history.end_group(run, rfc3339(clock.now()), result, problem, "", {}, committed=False)
        raise


def _run_all(context: Context, intentions: Sequence[Intention]) -> tuple[CourierResult, ...]:
    """In parallel. Ctrl-C reaches this thread only: the others notice it at their next event."""
    if len(intentions) == 1:
        return (run_courier(context, intentions[0]),)
    interrupted = Event()

    def report(event: events.Event) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        context.report(event)

    each = replace(context, report=report)
    with ThreadPoolExecutor(max_workers=len(intentions)) as pool:
        running = [pool.submit(run_courier, each, intention) for intention in intentions]
        try:
            return tuple(future.result() for future in running)
        except KeyboardInterrupt:
            interrupted.set()
            raise


def run_single(context: Context, courier: str, asked: Asked) -> GroupResult:
    """Run one courier, or some of its feeds, outside of any group."""
    intention = Intention(courier, asked.now, by_hand=asked.by_hand, feeds=asked.feeds, offset=timedelta(0))
    return single_result(asked.now, run_courier(context, intention))


def config_of(project: Project, group: CourierGroup) -> str:
    """Changes with the configuration of the group and of its couriers."""
    return config_from(group, [fingerprint(project.couriers[courier.name]) for courier in group.couriers])


def config_from(group: CourierGroup, fingerprints: Sequence[str]) -> str:
    """The same, of its couriers' fingerprints in the group's order: a thousand groups may share a courier."""
    return hashlib.sha256(" ".join([repr(group), *fingerprints]).encode()).hexdigest()[:16]


def single_result(started: datetime, result: CourierResult) -> GroupResult:
    """One courier's result, as that of a run without a group."""
    return together(name_of(result.courier, started), None, Asked(started), (result,))


def together(run: str, group: CourierGroup | None, asked: Asked, results: Sequence[CourierResult]) -> GroupResult:
    """The couriers' results as one: failed where none has committed, partial where some have."""
    failed = [result for result in results if result.result != "succeeded"]
    result: Result = "succeeded" if not failed else "failed" if len(failed) == len(results) else "partial"
    optional = {courier.name for courier in group.couriers if not courier.required} if group else set()
    return GroupResult(
        run=run,
        group=group.name if group else None,
        result=result,
        started=asked.now,
        ended=clock.now(),
        couriers=tuple(results),
        problem=failed[0].problem if failed else "",
        fix=failed[0].fix if failed else "",
        committed=all(one.courier in optional for one in failed),
    )
