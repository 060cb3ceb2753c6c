"""What is going to fire: each courier's period and request at each of the next fires, and what is odd about them.

The first period begins where the tables are loaded up to. Each later one goes on from there, as if every fire in
between succeeded, also those of other groups that run the same courier. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from courier.clock import Interval, rfc3339
from courier.config.project import Courier, CourierGroup, GroupCourier, Project
from courier.connectors import connector_named
from courier.runtime.events import interval_json
from courier.runtime.plan import FeedPlan, Intention, plan_feeds
from courier.runtime.schedule import Fire, explained_fires, last_fire, next_fire
from courier.runtime.wall_clock import wall_time

Watermarks = Mapping[str, Mapping[str, datetime | None]]
"""P by courier and feed."""

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
MANY = 10  # an offset of so many intervals between fires is more likely an oversight than meant


@dataclass(frozen=True)
class Appointment:
    """One courier at one fire of one group. Its feeds may differ; `period` and `request` begin with the earliest."""

    group: str
    courier: str
    fires_at: datetime
    local: datetime  # the same instant in the group's time zone
    timezone: str
    feeds: tuple[FeedPlan, ...]
    warnings: tuple[str, ...]

    @property
    def period(self) -> Interval | None:
        return _earliest(plan.period for plan in self._told)

    @property
    def request(self) -> Interval | None:
        return _earliest(plan.request for plan in self._told)

    @property
    def alike(self) -> bool:
        """Whether every feed has this period and request."""
        return len({(plan.period, plan.request) for plan in self._told}) == 1

    @property
    def _told(self) -> list[FeedPlan]:
        """The feeds that speak for all: those that are read whole each time say nothing of time."""
        loaded = [plan for plan in self.feeds if plan.period is not None]
        return [plan for plan in loaded if plan.feed.load != "truncate"] or loaded

    def as_json(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "courier": self.courier,
            "fires_at": rfc3339(self.fires_at),
            "local": self.local.isoformat(),
            "timezone": self.timezone,
            "period": _json(self.period),
            "request": _json(self.request),
            "warning": "; ".join(self.warnings) or None,
            "feeds": [
                {
                    "feed": plan.feed.name,
                    "period": _json(plan.period),
                    "request": _json(plan.request),
                    "skipped": plan.skipped or None,
                }
                for plan in self.feeds
            ],
        }


def agenda(
    project: Project, groups: Sequence[CourierGroup], start: datetime, count: int, watermarks: Watermarks
) -> tuple[Appointment, ...]:
    """The next `count` fires of each group after `start`, in order of time."""
    firing: dict[str, list[CourierGroup]] = {name: [] for name in project.couriers}
    for group in project.groups.values():
        for member in group.couriers if group.enabled else ():
            firing[member.name].append(group)
    outlook = _Outlook(project, start, watermarks, firing)
    found = [one for group in groups for one in outlook.of(group, count)]
    return tuple(sorted(found, key=lambda one: one.fires_at))


@dataclass(frozen=True)
class _Outlook:
    """What is known before: where each feed stands at `start`, and which groups run each courier by themselves."""

    project: Project
    start: datetime
    watermarks: Watermarks
    firing: Mapping[str, Sequence[CourierGroup]]

    def of(self, group: CourierGroup, count: int) -> Iterator[Appointment]:
        fires = list(islice(explained_fires(group, self.start), count + 1))
        before = [None, *(fire.at for fire in fires)]
        for fire, previous, following in zip(fires[:count], before, [*before[2:], None], strict=False):
            for member in group.couriers:
                courier = self.project.couriers[member.name]
                loaded = self._loaded(courier, group, fire.at, previous)
                yield _appointment(courier, group, member, fire, loaded, following)

    def _loaded(
        self, courier: Courier, group: CourierGroup, instant: datetime, previous: datetime | None
    ) -> dict[str, datetime | None]:
        """P of each feed just before `instant`; `previous` is the group's own fire before."""
        others = [one for one in self.firing[courier.name] if one.name != group.name]
        latest = _latest(previous, *(last_fire(one, instant - INSTANT, self.start) for one in others))
        watermarks = self.watermarks[courier.name]
        return {
            feed.name: self._now_and_then(feed.every, watermarks.get(feed.name), instant, [group, *others])
            if feed.every
            else _latest(watermarks.get(feed.name), latest)
            for feed in courier.feeds
        }

    def _now_and_then(
        self, every: timedelta, watermark: datetime | None, instant: datetime, groups: Sequence[CourierGroup]
    ) -> datetime | None:
        """P of a feed that only some fires load: those that come `every` after the one before, or later."""
        while True:
            due = max(self.start, watermark + every - INSTANT) if watermark else self.start
            following = min((fire for group in groups if (fire := next_fire(group, due))), default=instant)
            if following >= instant:
                return watermark
            watermark = following


def _latest(*instants: datetime | None) -> datetime | None:
    return max((instant for instant in instants if instant), default=None)


def _appointment(
    courier: Courier,
    group: CourierGroup,
    member: GroupCourier,
    fire: Fire,
    loaded: Mapping[str, datetime | None],
    following: datetime | None,
) -> Appointment:
    intention = Intention(courier.name, fire.at, offset=member.offset, group=group.name, wait=member.wait)
    plans = plan_feeds(courier, connector_named(courier.connector), intention, loaded)
    local = fire.at.astimezone(ZoneInfo(group.timezone))
    found = Appointment(group.name, courier.name, fire.at, local, group.timezone, plans, ())
    return replace(found, warnings=tuple(_warnings(found, group, member, fire, following)))


def _warnings(
    found: Appointment, group: CourierGroup, member: GroupCourier, fire: Fire, following: datetime | None
) -> Iterator[str]:
    if not group.enabled:
        yield "the group is not enabled: it does not fire"
    if fire.change == "skipped":
        yield f"{fire.local:%H:%M} does not exist on {fire.local:%Y-%m-%d}: fires at {found.local:%H:%M}"
    if fire.change == "repeated":
        yield f"{fire.local:%H:%M} comes twice on {fire.local:%Y-%m-%d}: fires the first time only"
    if found.period is None:
        yield f"nothing to load: {', '.join(sorted({plan.skipped for plan in found.feeds}))}"
    elif (length := _odd_day(found.period, ZoneInfo(group.timezone))) is not None:
        yield f"the clocks change: this period of a day has {_hours(length)}"
    if following and member.offset > MANY * (following - fire.at):
        often = member.offset // (following - fire.at)
        yield f"the offset of {_hours(member.offset)} is {often} times the time to the next fire: read again each time"


def _odd_day(period: Interval, zone: ZoneInfo) -> timedelta | None:
    """The length of a period from one wall-clock time to the same one of the next day, where it is not 24 hours."""
    if period.since is None or period.until is None:
        return None
    a_day = wall_time(period.until, zone) - wall_time(period.since, zone) == DAY
    length = period.until - period.since
    return length if a_day and length != DAY else None


def _hours(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    return f"{hours:g} hour{'' if hours == 1 else 's'}"


def _earliest(intervals: Iterable[Interval | None]) -> Interval | None:
    """The one that begins first; the beginning of time comes before everything."""
    found = [interval for interval in intervals if interval]
    return min(found, key=lambda one: (one.since is not None, one.since), default=None)


def _json(interval: Interval | None) -> dict[str, str | None] | None:
    return interval_json(interval) if interval else None
