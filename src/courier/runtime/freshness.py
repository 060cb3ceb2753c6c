"""Whether a courier's tables are as new as the schedules of its groups promise. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from courier.config.project import Courier, CourierGroup
from courier.runtime.schedule import last_fire

INSTANT = timedelta(microseconds=1)
FAR = timedelta(days=400)  # a schedule that fires once a year has fired since


@dataclass(frozen=True)
class Overdue:
    """A feed that is loaded up to `watermark` (None: never), though the fire at `due` should be in by now."""

    feed: str
    group: str
    due: datetime
    watermark: datetime | None


def overdue(
    courier: Courier, groups: Mapping[str, CourierGroup], watermarks: Mapping[str, datetime | None], now: datetime
) -> tuple[Overdue, ...]:
    """The feeds that are behind the schedule of some group."""
    dues = [(group.name, due) for group in groups.values() if (due := due_by(group, courier.name, now))]
    return tuple(
        Overdue(feed.name, group, due, watermarks.get(feed.name))
        for feed in courier.feeds
        for group, due in dues
        if (mark := watermarks.get(feed.name)) is None or mark < due - (feed.every or timedelta(0))
    )


def due_by(group: CourierGroup, courier: str, now: datetime) -> datetime | None:
    """The latest fire of the group whose run should have committed by now, the waits that it may use included.

    It may take `alert_after`; without one, until the next fire. None where the group never runs the courier by itself.
    """
    waits = [member.wait for member in group.couriers if member.name == courier]
    if not waits or not group.enabled or group.schedule is None:
        return None
    waited = now - waits[0] - max([one.wait for one in group.constraints], default=timedelta(0))
    if group.alert_after is not None:
        return last_fire(group, waited - group.alert_after, now - FAR)
    latest = last_fire(group, waited, now - FAR)
    return last_fire(group, latest - INSTANT, now - FAR) if latest else None
