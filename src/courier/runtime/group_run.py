"""Run a courier group: once its constraints hold, its couriers in parallel, then its activations; the group's result is
theirs together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Event
from typing import Any, Literal, Protocol

from courier import clock
from courier.clock import rfc3339
from courier.config.project import PARALLEL, CourierGroup, Project
from courier.errors import CourierError
from courier.runtime import events
from courier.runtime.allowance import NOTHING, Allowance
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.decide import Decision, PastRun, decide, fix_of_blocked, looked_at_since
from courier.runtime.events import Reporter, interval_json
from courier.runtime.group_activations import with_activations
from courier.runtime.pace import Pace
from courier.runtime.period import ByHand
from courier.runtime.place import group_lock
from courier.runtime.plan import Intention
from courier.runtime.publishing import publish_changes, publish_for_all
from courier.runtime.result import CourierResult, GroupResult, Result
from courier.runtime.run_folder import fingerprint, prune
from courier.runtime.run_name import name_of
from courier.storage.duck import is_interruption

Trigger = Literal["schedule", "hand", "retry"]


class Counting(Protocol):
    """Who knows the ended runs of groups: the history, or an engine's own."""

    def counting(self, groups: Iterable[str], since: datetime) -> tuple[PastRun, ...]: ...


POLL_SECONDS = 15.0  # between looks at what a constraint waits for
MANY = 16
"""Couriers of one run up to which each publishes what it commits."""


@dataclass(frozen=True)
class Asked:
    """What was asked for: a period by hand, or None for the one since the watermark.

    now:       when it was asked
    scheduled: the instant S that a schedule fired for; None for a run by hand, whose S is `now`
    allowance: for this run only
    retry_of:  the group's run that this one goes on with; its instant is `scheduled`
    """

    now: datetime
    by_hand: ByHand | None = None
    feeds: tuple[str, ...] = ()
    scheduled: datetime | None = None
    ignore_constraints: bool = False
    allowance: Allowance = NOTHING
    retry_of: str | None = None

    @property
    def instant(self) -> datetime:
        """S."""
        return self.scheduled or self.now

    @property
    def trigger(self) -> Trigger:
        if self.retry_of:
            return "retry"
        return "schedule" if self.scheduled else "hand"

    def as_json(self) -> dict[str, Any]:
        """What the history keeps of it, for a retry."""
        by_hand = None
        if self.by_hand:
            by_hand = {**interval_json(self.by_hand.period), "offset": self.by_hand.offset}
        return {"by_hand": by_hand, "ignore_constraints": self.ignore_constraints, **self.allowance.as_json()}


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
            allowance=asked.allowance,
        )
        for courier in group.couriers
    )


def run_group(context: Context, group: CourierGroup, asked: Asked) -> GroupResult:
    """Run all couriers of the group over their periods, as soon as its constraints hold.

    Blocked and covered are results, as failed is. Raises Locked where the group runs in another process.
    """

    def parts(run: str) -> list[Part]:
        return [_fresh(replace(intention, group_run=run)) for intention in group_intentions(group, asked)]

    return run_parts(context, group, asked, parts)


Part = tuple[str, Callable[[Context], CourierResult]]
"""A courier, and what runs it."""


def _fresh(intention: Intention) -> Part:
    return intention.courier, lambda context: run_courier(context, intention)


def run_parts(
    context: Context, group: CourierGroup, asked: Asked, parts: Callable[[str], Sequence[Part]]
) -> GroupResult:
    """Under the group's lock, recorded, once its constraints hold: what `parts` says for the run of this name."""
    run = name_of(group.name, clock.now())
    locked = group_lock(context.place, group.name, wait=context.wait_for_lock)
    with locked, _recorded(context, group, asked, run) as end:
        decision = decided(context.history, group, asked, partial(_tell_waiting, context, group))
        if decision.answer != "run":
            return end(_undone(context, run, group, asked, decision))
        couriers = run_all(context, run, parts(run), group.parallel)
        result = together(run, group, asked, couriers, sandbox=context.place.sandbox)
        return end(with_activations(context, group, result))


def decided(history: Counting, group: CourierGroup, asked: Asked, waits: Callable[[str], None]) -> Decision:
    """What the group is to do; asked again while it waits for others, and `waits` is told for what."""
    told = ""
    while True:
        decision = decision_on(history, group, asked, clock.now())
        if decision.answer != "wait":
            return decision
        assert decision.until is not None
        if decision.reason != told:
            told = decision.reason
            waits(told)
        clock.sleep(min(POLL_SECONDS, max(0.1, (decision.until - clock.now()).total_seconds() + 0.001)))


def _tell_waiting(context: Context, group: CourierGroup, reason: str) -> None:
    context.report(events.GroupWaits(courier="", run="", at=clock.now(), group=group.name, reason=reason))


def decision_on(history: Counting, group: CourierGroup, asked: Asked, now: datetime) -> Decision:
    """What the group is to do at S, by its history: `decide` for a fire, constraints alone for a run by hand."""
    if asked.ignore_constraints:
        group = replace(group, constraints=())
    others = [constraint.group for constraint in group.constraints]
    names = others if asked.trigger != "schedule" else [*others, group.name]
    runs = history.counting(names, looked_at_since(group, asked.instant)) if names else ()
    enabled = replace(group, enabled=True)  # whoever names a group means it
    return decide(enabled, asked.instant, max(now, asked.instant), runs)


def _undone(context: Context, run: str, group: CourierGroup, asked: Asked, decision: Decision) -> GroupResult:
    if decision.answer == "covered":
        return GroupResult(run, group.name, "covered", asked.now, clock.now(), ())
    place = " --sandbox" if context.place.sandbox else ""
    fix = f"{fix_of_blocked(group, place)}; courier retry {run}{place} --ignore-constraints keeps the instant"
    return GroupResult(run, group.name, "blocked", asked.now, clock.now(), (), decision.reason, fix)


@contextmanager
def _recorded(
    context: Context, group: CourierGroup, asked: Asked, run: str
) -> Iterator[Callable[[GroupResult], GroupResult]]:
    """The run in the history, from its beginning to whatever its end is."""
    scheduled, started = rfc3339(asked.instant), rfc3339(asked.now)
    values = (run, group.name, scheduled, asked.trigger, started, config_of(context.project, group))
    kept = {**asked.as_json(), "run_type": group.run_type}
    context.history.begin_group(*values, retry_of=asked.retry_of, asked=kept)

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


def run_all(context: Context, run: str, parts: Sequence[Part], at_once: int) -> tuple[CourierResult, ...]:
    """In parallel, so many at once. Ctrl-C reaches this thread only: the others notice it at their next event.

    What keeps one courier from running keeps no other one; where none has committed, it is raised.
    """
    interrupted = Event()

    def report(event: events.Event) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        context.report(event)

    each = replace(context, report=report)
    if len(parts) == 1:
        return (parts[0][1](context),)
    with ThreadPoolExecutor(max_workers=at_once) as pool, _published(each, run, len(parts)) as each:
        running = [pool.submit(_kept, work, each) for _, work in parts]
        try:
            ended = [future.result() for future in running]
        except KeyboardInterrupt:
            interrupted.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return _told(context, run, [(courier, end) for (courier, _), end in zip(parts, ended, strict=True)])


@contextmanager
def _published(context: Context, run: str, couriers: int) -> Iterator[Context]:
    """Each when it commits; of many, now and then, and at the end."""
    if couriers <= MANY:
        yield context
        return
    pace, reporter = Pace(), Reporter("", run, context.report)
    prune(context.place, clock.now())
    publish_changes(context, reporter)
    yield replace(context, pace=pace)
    publish_for_all(pace, context, reporter)


def _kept(work: Callable[[Context], CourierResult], context: Context) -> CourierResult | CourierError:
    try:
        return work(context)
    except CourierError as error:
        return error


def _told(
    context: Context, run: str, ended: Sequence[tuple[str, CourierResult | CourierError]]
) -> tuple[CourierResult, ...]:
    """The couriers' results, errors among them. Raises the first error where no courier has succeeded."""
    errors = [end for _, end in ended if isinstance(end, CourierError)]
    if errors and not any(isinstance(end, CourierResult) and end.result == "succeeded" for _, end in ended):
        raise errors[0]
    begun = {one.courier: one.run for one in context.history.couriers_of(run)} if errors else {}
    return tuple(
        end
        if isinstance(end, CourierResult)
        else CourierResult(courier, begun.get(courier, ""), "failed", problem=end.message, fix=end.fix)
        for courier, end in ended
    )


def stores_intentions(couriers: Sequence[str], asked: Asked) -> tuple[Intention, ...]:
    """What each courier is to do outside of any group."""
    by_hand, feeds, allowance = asked.by_hand, asked.feeds, asked.allowance
    return tuple(Intention(name, asked.now, by_hand=by_hand, feeds=feeds, allowance=allowance) for name in couriers)


def run_single(context: Context, courier: str, asked: Asked) -> GroupResult:
    """Run one courier, or all stores of one, or some of their feeds, outside of any group."""
    intentions = stores_intentions(context.project.members(courier), asked)
    if len(intentions) == 1:
        return single_result(asked.now, run_courier(context, intentions[0]))
    run = name_of(courier, asked.now)
    ended = run_all(context, run, [_fresh(one) for one in intentions], PARALLEL)
    return together(run, None, asked, ended, sandbox=context.place.sandbox)


def config_of(project: Project, group: CourierGroup) -> str:
    """Changes with the configuration of the group, of its couriers and of its activations."""
    parts = [*(project.couriers[one.name] for one in group.couriers), *map(project.activations.get, group.activations)]
    return config_from(group, [fingerprint(part, project.destination) for part in parts if part])


def config_from(group: CourierGroup, fingerprints: Sequence[str]) -> str:
    """The same, of the fingerprints of its couriers and then of its activations: a thousand groups may share them."""
    return hashlib.sha256(" ".join([repr(group), *fingerprints]).encode()).hexdigest()[:16]


def single_result(started: datetime, result: CourierResult) -> GroupResult:
    """One courier's result, as that of a run without a group."""
    return together(name_of(result.courier, started), None, Asked(started), (result,))


def together(
    run: str, group: CourierGroup | None, asked: Asked, results: Sequence[CourierResult], *, sandbox: bool = False
) -> GroupResult:
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
        fix=_fix(run, failed, results, sandbox),
        committed=all(one.courier in optional for one in failed),
    )


def _fix(run: str, failed: Sequence[CourierResult], results: Sequence[CourierResult], sandbox: bool) -> str:
    if not failed or len(results) == 1:
        return failed[0].fix if failed else ""
    again = f"courier retry {run}{' --sandbox' if sandbox else ''} goes on with what has not committed"
    return f"{failed[0].fix}; {again}" if failed[0].fix else again
