"""Run a courier group by hand: its couriers in parallel, each its own unit; the group's result is theirs together."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event

from courier import clock
from courier.config.project import CourierGroup
from courier.runtime import events
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.period import ByHand
from courier.runtime.plan import Intention
from courier.runtime.result import CourierResult, GroupResult, Result


@dataclass(frozen=True)
class Asked:
    """What a person asked for: a period by hand, or None for the one since the watermark."""

    now: datetime
    by_hand: ByHand | None = None
    feeds: tuple[str, ...] = ()


def group_intentions(group: CourierGroup, asked: Asked) -> tuple[Intention, ...]:
    """What each courier of the group is to do, in the group's order."""
    return tuple(
        Intention(
            courier=courier.name,
            scheduled=asked.now,
            offset=courier.offset,
            by_hand=asked.by_hand,
            group=group.name,
            wait=courier.wait,
        )
        for courier in group.couriers
    )


def run_group(context: Context, group: CourierGroup, asked: Asked) -> GroupResult:
    """Run all couriers of the group over their periods."""
    intentions = group_intentions(group, asked)
    results = _run_all(context, intentions)
    required = {courier.name for courier in group.couriers if courier.required}
    return _together(group.name, asked, results, required)


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


def single_result(started: datetime, result: CourierResult) -> GroupResult:
    """One courier's result, as that of a run without a group."""
    return _together(None, Asked(started), (result,), {result.courier})


def _together(group: str | None, asked: Asked, results: Sequence[CourierResult], required: set[str]) -> GroupResult:
    failed = [result for result in results if result.result != "succeeded"]
    result: Result = "succeeded"
    if any(one.courier in required for one in failed):
        result = "failed" if len(failed) == len(results) else "partial"
    elif failed:
        result = "partial"
    return GroupResult(
        run=f"{asked.now:%Y%m%dT%H%M%S}-{group or results[0].courier}-{secrets.token_hex(3)}",
        group=group,
        result=result,
        started=asked.now,
        ended=clock.now(),
        couriers=tuple(results),
        problem=failed[0].problem if failed else "",
        fix=failed[0].fix if failed else "",
    )
