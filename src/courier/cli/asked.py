"""What the period and choice options of a command line mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from courier import clock
from courier.cli.project import pick_courier, pick_group
from courier.clock import Interval
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.config.project import CourierGroup, Project
    from courier.runtime.allowance import Allowance
    from courier.runtime.group_run import Asked
    from courier.runtime.plan import Intention


def chosen(project: Project, group: str | None, courier: str | None, feeds: tuple[str, ...]) -> CourierGroup | str:
    """The group, or the name of a courier or a fleet of them. Raises UsageError unless exactly one is asked for."""
    if group is not None and courier is not None:
        raise UsageError("--group and --courier exclude each other", fix="keep one of them")
    if group is None and courier is None:
        raise UsageError("neither --group nor --courier says what to run", fix=_what_there_is(project))
    if group is not None:
        if feeds:
            raise UsageError("--feed goes with --courier, not with --group", fix="--courier NAME --feed NAME")
        return pick_group(project, group)
    assert courier is not None
    pick_courier(project, courier, feeds)
    return courier


def _what_there_is(project: Project) -> str:
    """The options to type, with this project's names."""
    options = [f"--group {name}" for name in sorted(project.groups)]
    alone = [name for name, courier in project.couriers.items() if courier.fleet is None]
    options += [f"--courier {name}" for name in sorted([*alone, *project.fleets])]
    return "add " + ", or ".join(options) if options else "write a courier into couriers/ first"


def asked_for(what: CourierGroup | str, feeds: tuple[str, ...], options: Mapping[str, Any]) -> Asked:
    """What the options ask for; by_hand None is the period since the watermark. Raises UsageError."""
    from courier.runtime.allowance import NOTHING
    from courier.runtime.group_run import Asked
    from courier.runtime.period import ByHand, parse_instant

    _check_scheduled(what, options)
    now, timezone, scheduled = clock.now(), timezone_of(what), options["scheduled"]
    period = _period(options, timezone, now)
    return Asked(
        now,
        by_hand=ByHand(period, offset=not options["no_offset"]) if period else None,
        feeds=feeds,
        scheduled=parse_instant(scheduled, timezone) if scheduled else None,
        ignore_constraints=options.get("ignore_constraints", False),
        allowance=allowance_of(options) if "skip_feeds" in options else NOTHING,
    )


def _period(options: Mapping[str, Any], timezone: str, now: datetime) -> Interval | None:
    """The period that the options choose, in UTC."""
    from courier.runtime.period import between, everything, of_day, parse_instant

    day, since, until = options["day"], options["since"], options["until"]
    if sum([day is not None, since is not None or until is not None, options["everything"]]) > 1:
        raise UsageError("--day, --since/--until and --all exclude each other", fix="keep one of them")
    if options["everything"]:
        return everything(now)
    if day is not None:
        return of_day(_as_day(day), timezone, now)
    if since is not None:
        return between(parse_instant(since, timezone), parse_instant(until, timezone) if until else None, now)
    if until is not None:
        raise UsageError("--until needs --since", fix="give --since too, or --all")
    return None


def allowance_of(options: Mapping[str, Any]) -> Allowance:
    """What --error-limit and --skip-feed allow this run."""
    from courier.runtime.allowance import Allowance

    limit = options["error_limit"]
    return Allowance(None if limit is None else Decimal(f"{limit:g}"), tuple(dict.fromkeys(options["skip_feeds"])))


def check_allowance(project: Project, what: CourierGroup | str, asked: Asked) -> None:
    """Raises UsageError for feeds that cannot be left out."""
    from courier.runtime.allowance import check_skipped

    check_skipped(
        [project.couriers[name] for name in couriers_of(project, what)], asked.allowance.skip_feeds, asked.feeds
    )


def of_run_type(what: CourierGroup | str, run_type: Literal["full", "source"] | None) -> CourierGroup | str:
    """The group with the run type of this run, if one was given."""
    return what if isinstance(what, str) or run_type is None else replace(what, run_type=run_type)


def couriers_of(project: Project, what: CourierGroup | str) -> list[str]:
    """The couriers that are to run, by name."""
    if isinstance(what, str):
        return list(project.members(what))
    return [courier.name for courier in what.couriers]


def activations_of(what: CourierGroup | str) -> tuple[str, ...]:
    """The activations that follow."""
    from courier.runtime.group_activations import activations_of as of_group

    return () if isinstance(what, str) else of_group(what)


def _check_scheduled(what: CourierGroup | str, options: Mapping[str, Any]) -> None:
    """Raises UsageError for an instant without a group, or beside a period, which it would contradict."""
    if options["scheduled"] is None:
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


def intentions(project: Project, what: CourierGroup | str, asked: Asked) -> tuple[Intention, ...]:
    """What each courier will be asked to do."""
    from courier.config.project import CourierGroup
    from courier.runtime.group_run import group_intentions, stores_intentions

    if isinstance(what, CourierGroup):
        return group_intentions(what, asked)
    return stores_intentions(project.members(what), asked)


def timezone_of(what: CourierGroup | str) -> str:
    """Dates are meant in the group's time zone; without a group, in UTC."""
    from courier.config.project import CourierGroup

    return what.timezone if isinstance(what, CourierGroup) else "UTC"
