"""What is going to fire: the periods that living through it would give, and a word where something is odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.clock import Interval
from courier.config.load import load_project
from courier.config.project import CourierGroup, GroupCourier, Project
from courier.connectors import connector_named
from courier.runtime.agenda import Appointment, Watermarks, agenda
from courier.runtime.plan import Intention, plan_feeds
from courier.runtime.schedule import next_fire

ROOT = Path(__file__).parents[2]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEEDS = ("customer", "order", "locations")
OFTEN = "the offset of 24 hours is 24 times the time to the next fire"
SCHEDULES = ["0 */3 * * *", "30 6 * * *", "15 * * * *", "0 8 * * 1", "30 1 * * *", "30 2 * * *"]


@cache
def shipped() -> Project:
    project = load_project(ROOT).project
    assert project is not None
    return project


def project_of(*groups: CourierGroup, every: timedelta | None = None) -> Project:
    """The shipped courier with three feeds, of which `locations` is loaded now and then, in these groups."""
    courier = shipped().couriers["shopify"]
    feeds = tuple(courier.feed(name) for name in FEEDS)
    feeds = (*feeds[:2], replace(feeds[2], every=every))
    return replace(
        shipped(), couriers={"shopify": replace(courier, feeds=feeds)}, groups={one.name: one for one in groups}
    )


def group(name: str, schedule: str | None, timezone: str = "UTC", offset: timedelta = 0 * HOUR) -> CourierGroup:
    return CourierGroup(name, schedule, timezone, True, "full", (GroupCourier("shopify", offset),))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def loaded(**feeds: datetime | None) -> Watermarks:
    return {"shopify": feeds}


def lived(
    project: Project, start: datetime, watermarks: Watermarks, last: datetime
) -> dict[tuple[str, datetime], object]:
    """Every fire until `last`, one after the other, each of them a success: what each had to load."""
    standing = dict(watermarks["shopify"])
    courier = project.couriers["shopify"]
    found: dict[tuple[str, datetime], object] = {}
    now = start
    while True:
        due = [(fire, one) for one in project.groups.values() if (fire := next_fire(one, now))]
        now = min((fire for fire, _ in due), default=last + HOUR)
        if now > last:
            return found
        plans = {
            one.name: plan_feeds(
                courier,
                connector_named("shopify"),
                Intention("shopify", now, offset=one.couriers[0].offset, group=one.name),
                standing,
            )
            for fire, one in due
            if fire == now
        }
        found |= {(name, now): plan for name, plan in plans.items()}
        for plan in next(iter(plans.values())):
            standing[plan.feed.name] = plan.period.until if plan.period else standing.get(plan.feed.name)


marks = st.none() | st.integers(-200, 60).map(lambda hours: at("2026-03-07T00:00") + hours * HOUR)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SCHEDULES), st.sampled_from([0, 2, 24])), min_size=1, max_size=3),
    st.tuples(marks, marks, marks),
    st.sampled_from([None, HOUR, 5 * HOUR, DAY]),
)
def test_the_agenda_is_what_living_through_it_gives(
    schedules: list[tuple[str, int]], standing: tuple[datetime | None, ...], every: timedelta | None
) -> None:
    """Also where groups share a courier, its feeds stand apart, and one of them is loaded now and then."""
    zones = ["America/New_York", "Europe/Berlin", "UTC"]
    groups = [group(f"g{n}", schedule, zones[n], offset * HOUR) for n, (schedule, offset) in enumerate(schedules)]
    project, start = project_of(*groups, every=every), at("2026-03-07T00:10")
    watermarks = loaded(**dict(zip(FEEDS, standing, strict=True)))
    found = agenda(project, groups, start, 3, watermarks)
    expected = lived(project, start, watermarks, max(one.fires_at for one in found))
    assert {(one.group, one.fires_at): one.feeds for one in found} == {
        key: plans for key, plans in expected.items() if key in {(one.group, one.fires_at) for one in found}
    }
    assert [one.fires_at for one in found] == sorted(one.fires_at for one in found)


def test_a_period_and_a_request_speak_for_all_feeds() -> None:
    """They begin with the feed that is furthest behind; one that is read whole each time has no say."""
    one = group("g", "0 8 * * *", offset=DAY)
    watermarks = loaded(customer=at("2026-06-09T08:00"), order=at("2026-06-08T08:00"), locations=None)
    first, second = agenda(project_of(one), [one], at("2026-06-10T00:00"), 2, watermarks)
    assert first.period == Interval(at("2026-06-08T08:00"), at("2026-06-10T08:00"))
    assert first.request == Interval(at("2026-06-07T08:00"), at("2026-06-10T08:00"))
    assert not first.alike
    assert second.period == Interval(at("2026-06-10T08:00"), at("2026-06-11T08:00"))
    assert second.alike


@pytest.mark.parametrize(
    ("schedule", "start", "warnings"),
    [
        ("30 2 * * *", "2026-03-08T00:00", ["02:30 does not exist on 2026-03-08: fires at 03:00"]),
        ("30 1 * * *", "2026-11-01T00:00", ["01:30 comes twice on 2026-11-01: fires the first time only"]),
        ("30 6 * * *", "2026-03-08T00:00", ["the clocks change: this period of a day has 23 hours"]),
        ("30 6 * * *", "2026-11-01T00:00", ["the clocks change: this period of a day has 25 hours"]),
        ("30 6 * * *", "2026-06-01T00:00", []),
        ("0 * * * *", "2026-03-08T06:00", [f"{OFTEN}: read again each time"]),
    ],
)
def test_what_is_odd_about_a_fire_is_said(schedule: str, start: str, warnings: list[str]) -> None:
    one = group("g", schedule, "America/New_York", DAY)
    yesterday = at(start) - DAY
    before = next_fire(one, yesterday)
    standing = loaded(**dict.fromkeys(FEEDS, before))
    found = agenda(project_of(one), [one], at(start), 1, standing)
    assert [warning for one in found for warning in one.warnings] == warnings


def only(found: tuple[Appointment, ...]) -> Appointment:
    (one,) = found
    return one


def test_a_group_that_is_not_enabled_says_so_and_moves_nothing() -> None:
    """Its fires are listed, as if it were; those of others do not count on it."""
    off, on = replace(group("off", "0 * * * *"), enabled=False), group("on", "0 8 * * *")
    project, start = project_of(off, on), at("2026-06-10T06:30")
    standing = loaded(**dict.fromkeys(FEEDS, at("2026-06-09T08:00")))
    assert only(agenda(project, [off], start, 1, standing)).warnings[0].startswith("the group is not enabled")
    assert only(agenda(project, [on], start, 1, standing)).period == Interval(
        at("2026-06-09T08:00"), at("2026-06-10T08:00")
    )


def test_a_fire_that_is_covered_says_so() -> None:
    """What lies before the watermark has nothing to load."""
    one = group("g", "0 8 * * *")
    found = only(
        agenda(project_of(one), [one], at("2026-06-10T00:00"), 1, loaded(**dict.fromkeys(FEEDS, at("2026-07-01"))))
    )
    assert (found.period, found.request) == (None, None)
    assert found.warnings == ("nothing to load: covered",)
    assert found.as_json()["period"] is None


def test_without_a_schedule_nothing_is_listed() -> None:
    one = group("g", None)
    assert agenda(project_of(one), [one], at("2026-06-10T00:00"), 5, loaded()) == ()
