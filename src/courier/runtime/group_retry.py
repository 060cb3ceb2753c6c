"""Go on with a group's run: with those of its couriers that have not committed, at the same instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from courier import clock
from courier.clock import Interval
from courier.config.project import CourierGroup, Project
from courier.errors import UsageError
from courier.runtime.allowance import allowance_from_json, check_skipped
from courier.runtime.context import Context
from courier.runtime.courier_run import run_courier
from courier.runtime.group_run import Asked, Part, group_intentions, run_parts
from courier.runtime.history import PastCourierRun, PastGroupRun
from courier.runtime.period import ByHand
from courier.runtime.place import Place
from courier.runtime.plan import Intention
from courier.runtime.result import CourierResult, GroupResult
from courier.runtime.retry import Again, needs_source, retry_run
from courier.runtime.run_folder import folder_of
from courier.storage import ledger


def retry_group(context: Context, past: PastGroupRun, again: Again, *, ignore_constraints: bool = False) -> GroupResult:
    """A run of its own in the history, at the instant of the one that it goes on with. Raises UsageError."""
    group = _group_of(context, past)
    asked = asked_again(past, again, ignore_constraints)
    couriers = [context.project.couriers[courier.name] for courier in group.couriers]
    check_skipped(couriers, asked.allowance.skip_feeds)
    members = context.history.members_of(past)

    def parts(run: str) -> list[Part]:
        how = replace(again, allowance=asked.allowance, group_run=run)
        intentions = [replace(intention, group_run=run) for intention in group_intentions(group, asked)]
        return [_again(context.place, intention, members.get(intention.courier), how) for intention in intentions]

    return run_parts(context, group, asked, parts)


def _group_of(context: Context, past: PastGroupRun) -> CourierGroup:
    if past.result in ("succeeded", "covered"):
        raise UsageError(f"run {past.run} has {past.result}; there is nothing to try again", fix="courier status")
    if past.group not in context.project.groups:
        raise UsageError(f"run {past.run} is of group {past.group}, which the project no longer has", fix="add it back")
    return group_again(context.project, past)


def group_again(project: Project, past: PastGroupRun) -> CourierGroup:
    """The group as the earlier run went through it: of its run type."""
    group = project.groups[past.group]
    return replace(group, run_type=(past.asked or {}).get("run_type", group.run_type))


def asked_again(past: PastGroupRun, again: Again, ignore_constraints: bool) -> Asked:
    """What the earlier run was asked for, with what is allowed besides now."""
    before = past.asked or {}
    return Asked(
        now=clock.now(),
        by_hand=_by_hand(before.get("by_hand")),
        scheduled=datetime.fromisoformat(past.scheduled),
        ignore_constraints=ignore_constraints or bool(before.get("ignore_constraints")),
        allowance=again.allowance.over(allowance_from_json(before)),
        retry_of=past.run,
    )


def _by_hand(values: Mapping[str, Any] | None) -> ByHand | None:
    if values is None:
        return None
    since, until = (datetime.fromisoformat(at) if (at := values[name]) else None for name in ("since", "until"))
    return ByHand(Interval(since, until), offset=bool(values["offset"]))


def _again(place: Place, intention: Intention, member: PastCourierRun | None, again: Again) -> Part:
    """Of a courier that never began, or whose records are gone: a run at the same instant, over the same period."""

    def run(context: Context) -> CourierResult:
        if member is None or folder_of(place, member.run).stored() is None:
            if member is not None and ledger.committed(place.warehouse, member.run):
                return CourierResult(member.courier, member.run, "succeeded")
            return run_courier(context, intention)
        return retry_run(context, member.run, again)

    return intention.courier, run


def to_be_opened(place: Place, group: CourierGroup, members: Mapping[str, PastCourierRun], fetch: bool) -> list[str]:
    """The group's couriers whose sources a retry asks, so that their credentials are looked up before it begins."""
    names = [courier.name for courier in group.couriers]
    return [
        name
        for name in names
        if name not in members
        or (
            not ledger.committed(place.warehouse, members[name].run)
            and (fetch or needs_source(place, members[name].run))
        )
    ]
