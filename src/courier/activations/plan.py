"""A plan: what would be sent, what it is planned upon, and whether it may be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from courier.activations.contract import Item, Known, LeftOut, Plan, Remote, Surface, Usage, Wanted
from courier.activations.templates import plain
from courier.clock import rfc3339
from courier.config.activation import Activation, Guards
from courier.config.durations import format_duration


def make_plan(
    activation: Activation,
    wanted: Sequence[Wanted],
    left_out: Sequence[LeftOut],
    surface: Surface,
    remote: Remote,
    known: Mapping[str, Known],
    owned: Mapping[str, Known],
    as_of: datetime | None,
    notes: Sequence[str] = (),
) -> Plan:
    """What is to be done for each item, as the surface sees it. Pure."""
    items = tuple(surface.item(one, known.get(one.key), remote, owned) for one in wanted)
    digest = plan_hash(activation.name, items, left_out, remote)
    gone = [key for key in known if key not in {one.key for one in wanted}]
    also = [f"{_listed(sorted(gone))}: no longer among the rows; what was made of it stays there"] if gone else []
    return Plan(activation.name, items, tuple(left_out), digest, as_of, (*notes, *also))


def plan_hash(activation: str, items: Sequence[Item], left_out: Sequence[LeftOut], remote: Remote) -> str:
    """Changes with what would be sent, with what stays here, and with what can be seen of the remote side."""
    sending = sorted([item.key, item.action, plain(item.payload), item.remote_id] for item in items)
    staying = sorted([one.key, one.guard, one.reason] for one in left_out)
    text = json.dumps([activation, sending, staying, remote.hash], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _listed(keys: Sequence[str], most: int = 5) -> str:
    more = len(keys) - most
    return ", ".join(keys[:most]) + (f" and {more} more" if more > 0 else "")


def sends(plan: Plan) -> bool:
    """Whether an apply has anything to do."""
    return any(item.action in ("create", "update") for item in plan.items)


def refusals(plan: Plan, guards: Guards, usage: Usage, spent: int, now: datetime) -> Iterator[str]:
    """Why the plan may not be applied. `spent`: credits of this activation in this calendar month."""
    if not sends(plan):
        return
    if guards.max_age is not None and (stale := _too_old(plan.as_of, guards.max_age, now)):
        yield stale
    if plan.credits[1]:
        yield from _too_dear(plan.credits[1], guards, usage, spent)


def _too_dear(high: int, guards: Guards, usage: Usage, spent: int) -> Iterator[str]:
    if guards.max_credits is not None and high > guards.max_credits:
        yield f"it may cost {high} credits, and `max_credits` is {guards.max_credits}"
    month = guards.max_credits_per_month
    if month is not None and spent + high > month:
        yield f"{spent} credits are spent this month and it may cost {high}, and `max_credits_per_month` is {month}"
    if usage.remaining is not None and high > usage.remaining:
        yield f"it may cost {high} credits, and the account has {usage.remaining} left"
    if usage.limit is not None and usage.used is not None and usage.used + high > usage.limit:
        yield f"it may cost {high} credits, and of the account's limit of {usage.limit} {usage.used} are used"


def _too_old(as_of: datetime | None, most: timedelta, now: datetime) -> str:
    if as_of is None:
        return f"nobody knows up to when the data is whole, and `max_age` is {format_duration(most)}"
    return f"the data is of {rfc3339(as_of)}, and `max_age` is {format_duration(most)}" if now - as_of > most else ""


def notes_on(usage: Usage) -> tuple[str, ...]:
    """What a person should know of the account before spending."""
    bought = "auto-recharge is on: where the credits run out, more are bought"
    return (bought,) if usage.auto_recharge else ()
