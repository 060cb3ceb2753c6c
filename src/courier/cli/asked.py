"""What the period and choice options of a command line mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from courier import clock
from courier.cli.project import pick_courier, pick_group
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.config.project import CourierGroup, Project
    from courier.runtime.allowance import Allowance
    from courier.runtime.group_run import Asked
    from courier.runtime.plan import Intention


def chosen(project: Project, group: str | None, courier: str | None, feeds: tuple[str, ...]) -> CourierGroup | str:
    """The group, or the courier's name. Raises UsageError unless exactly one is asked for."""
    if group is not None and courier is not None:
        raise UsageError("--group and --courier exclude each other", fix="keep one of them")
    if group is None and courier is None:
        raise UsageError("neither --group nor --courier says what to run", fix=_what_there_is(project))
    if group is not None:
        if feeds:
            raise UsageError("--feed goes with --courier, not with --group", fix="--courier NAME --feed NAME")
        return pick_group(project, group)
    assert courier is not None
    return pick_courier(project, courier, feeds).name


def _what_there_is(project: Project) -> str:
    """The options to type, with this project's names."""
    options = [f"--group {name}" for name in sorted(project.groups)]
    options += [f"--courier {name}" for name in sorted(project.couriers)]
    return "add " + ", or ".join(options) if options else "write a courier into couriers/ first"


def asked_for(
    timezone: str,
    feeds: tuple[str, ...],
    *,
    day: str | None,
    since: str | None,
    until: str | None,
    everything_: bool,
    no_offset: bool,
    scheduled: str | None = None,
    ignore_constraints: bool = False,
    allowance: Allowance | None = None,
) -> Asked:
    """The period that the options choose, in UTC; by_hand None is the one since the watermark."""
    from courier.runtime.allowance import NOTHING
    from courier.runtime.group_run import Asked
    from courier.runtime.period import ByHand, between, everything, of_day, parse_instant

    now = clock.now()
    if sum([day is not None, since is not None or until is not None, everything_]) > 1:
        raise UsageError("--day, --since/--until and --all exclude each other", fix="keep one of them")
    period = None
    if everything_:
        period = everything(now)
    elif day is not None:
        period = of_day(_as_day(day), timezone, now)
    elif since is not None:
        period = between(parse_instant(since, timezone), parse_instant(until, timezone) if until else None, now)
    elif until is not None:
        raise UsageError("--until needs --since", fix="give --since too, or --all")
    by_hand = ByHand(period, offset=not no_offset) if period else None
    instant = parse_instant(scheduled, timezone) if scheduled else None
    return Asked(now, by_hand, feeds, instant, ignore_constraints, allowance or NOTHING)


def allowance_of(options: Mapping[str, Any]) -> Allowance:
    """What --error-limit and --skip-feed allow this run."""
    from courier.runtime.allowance import Allowance

    limit = options["error_limit"]
    return Allowance(None if limit is None else Decimal(f"{limit:g}"), tuple(dict.fromkeys(options["skip_feeds"])))


def check_allowance(project: Project, what: CourierGroup | str, asked: Asked) -> None:
    """Raises UsageError for feeds that cannot be left out."""
    from courier.runtime.allowance import check_skipped

    check_skipped([project.couriers[name] for name in couriers_of(what)], asked.allowance.skip_feeds, asked.feeds)


def of_run_type(what: CourierGroup | str, run_type: Literal["full", "source"] | None) -> CourierGroup | str:
    """The group with the run type of this run, if one was given."""
    return what if isinstance(what, str) or run_type is None else replace(what, run_type=run_type)


def couriers_of(what: CourierGroup | str) -> list[str]:
    """The couriers that are to run, by name."""
    return [what] if isinstance(what, str) else [courier.name for courier in what.couriers]


def activations_of(what: CourierGroup | str) -> tuple[str, ...]:
    """The activations that follow."""
    from courier.runtime.group_activations import activations_of as of_group

    return () if isinstance(what, str) else of_group(what)


def check_scheduled(scheduled: str | None, what: CourierGroup | str, options: Mapping[str, Any]) -> None:
    """Raises UsageError for an instant without a group, or beside a period, which it would contradict."""
    if scheduled is None:
        return
    if isinstance(what, str):
        raise UsageError("--scheduled goes with --group", fix="--group NAME --scheduled 2026-11-20T06:30:00Z")
    if any(options[name] for name in ("day", "since", "until", "everything")):
        raise UsageError("--scheduled and a period of your own exclude each other", fix="keep one of them")


def _as_day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as wrong:
        raise UsageError(f"{written!r} is not a day", fix="write it as 2026-11-20") from wrong


def intentions(what: CourierGroup | str, asked: Asked) -> tuple[Intention, ...]:
    """What each courier will be asked to do."""
    from courier.config.project import CourierGroup
    from courier.runtime.group_run import group_intentions
    from courier.runtime.plan import Intention

    if isinstance(what, CourierGroup):
        return group_intentions(what, asked)
    return (Intention(what, asked.now, by_hand=asked.by_hand, feeds=asked.feeds, allowance=asked.allowance),)


def timezone_of(what: CourierGroup | str) -> str:
    """Dates are meant in the group's time zone; without a group, in UTC."""
    from courier.config.project import CourierGroup

    return what.timezone if isinstance(what, CourierGroup) else "UTC"
