"""Fires: what a slow count finds, in order, however the sequence is cut, also where the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from courier.config.project import CourierGroup
from courier.runtime.schedule import explained_fires, fires, last_fire, next_fire, next_fires
from tests.runtime.slow_clock import slow_fires

# One change of each odd kind, and the days around it.
CHANGES = {
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "Europe/Dublin": ["2026-03-29", "2026-10-25"],  # its summer time is the standard one: negative DST
    "Australia/Lord_Howe": ["2026-04-04", "2026-10-03"],  # half an hour
    "Pacific/Apia": ["2011-12-30", "2012-04-01"],  # a day that never was
    "America/Sao_Paulo": ["2018-11-04", "2018-02-18"],  # at midnight
    "Africa/Cairo": ["2026-04-23", "2026-10-29"],  # at midnight
    "Pacific/Chatham": ["2026-04-04", "2026-09-26"],  # 45 minutes off the hour
    "Antarctica/Troll": ["2026-03-29", "2026-10-25"],  # two hours
    "Antarctica/Casey": ["2020-10-03", "2023-03-08"],  # three hours
    "America/St_Johns": ["2011-03-13", "2011-11-06"],  # at one minute past midnight
    "Asia/Pyongyang": ["2015-08-14", "2018-05-04"],  # half an hour, not for summer
}
HALVES = ["Australia/Lord_Howe", "Asia/Pyongyang"]  # half an hour moves the wall clock's minutes against the beat
MINUTES = ["*", "*/15", "*/7", "0", "1", "30", "59", "5,35", "10-50/20"]
HOURS = ["*", "*/2", "*/5", "0", "1", "2", "3", "23", "0,12", "1-3", "0-23", "8-18/2"]
DAYS = ["*", "*", "*", "1", "31", "30,4", "1-15", "*/2"]
MONTHS = ["*", "*", "*", "12", "3,11", "1-12", "*/4"]
WEEKDAYS = ["*", "*", "*", "0", "7", "1-5", "6,0", "5-7"]

crons = st.tuples(*map(st.sampled_from, (MINUTES, HOURS, DAYS, MONTHS, WEEKDAYS))).map(" ".join)
changes = st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days])
zones = st.sampled_from(sorted(available_timezones()))
instants = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
hours = st.integers(-30, 30).map(lambda count: timedelta(hours=count))


def group(schedule: str | None, timezone: str = "America/New_York") -> CourierGroup:
    return CourierGroup("g", schedule, timezone, True, "full", ())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def until(schedule: CourierGroup, after: datetime, last: datetime) -> list[datetime]:
    return list(takewhile(lambda instant: instant <= last, fires(schedule, after)))


@settings(max_examples=80, deadline=None)
@given(crons, changes, hours, st.integers(0, 59))
@example("30 * * * *", ("America/New_York", "2026-03-08"), timedelta(0), 0)
@example("0 6 * * *", ("Pacific/Apia", "2011-12-30"), timedelta(hours=9), 0)
@example("*/30 */2 * * *", ("Pacific/Apia", "2011-12-30"), timedelta(hours=11), 30)
@example("0 */5 * * *", ("Antarctica/Casey", "2023-03-08"), timedelta(hours=22), 0)
def test_fires_are_those_of_a_slow_count(cron: str, change: tuple[str, str], near: timedelta, minute: int) -> None:
    """Minute by minute around a clock change, from any instant on."""
    after = at(change[1]) + near + timedelta(minutes=minute)
    last = after + timedelta(hours=30)
    assert until(group(cron, change[0]), after, last) == slow_fires(cron, change[0], after, last)


@settings(max_examples=30, deadline=None)
@given(crons, zones, instants.map(lambda instant: instant.replace(second=0, microsecond=0)))
def test_fires_are_those_of_a_slow_count_in_any_zone_and_year(cron: str, zone: str, after: datetime) -> None:
    last = after + timedelta(hours=30)
    assert until(group(cron, zone), after, last) == slow_fires(cron, zone, after, last)


@settings(max_examples=100, deadline=None)
@given(crons, zones, instants, st.integers(0, 20))
def test_the_sequence_may_be_cut_anywhere(cron: str, zone: str, after: datetime, cut: int) -> None:
    """Strictly increasing and later than `after`; asked again from any of them, or from between, it goes on alike."""
    schedule = group(cron, zone)
    sequence = next_fires(schedule, after, cut + 4)
    assert all(earlier < later for earlier, later in pairwise([after, *sequence]))
    assert next_fires(schedule, sequence[cut], 3) == sequence[cut + 1 :]
    assert next_fire(schedule, sequence[cut] - timedelta(microseconds=1)) == sequence[cut]


@settings(max_examples=60, deadline=None)
@given(crons, changes, hours, st.integers(0, 60))
def test_missed_fires_collapse_into_the_latest(cron: str, change: tuple[str, str], near: timedelta, down: int) -> None:
    """The latest of all that came while nobody was there; none of them is no fire."""
    schedule, since = group(cron, change[0]), at(change[1]) + near
    now = since + timedelta(hours=down, minutes=17)
    assert last_fire(schedule, now, since) == max(until(schedule, since, now), default=None)


def test_the_latest_fire_of_a_century_is_found_at_once() -> None:
    """Counted forwards, this would be fifty million fires."""
    assert last_fire(group("* * * * *"), at("2100-01-01T10:30"), at("2000-01-01")) == at("2100-01-01T10:30")
    assert last_fire(group("0 0 29 2 *", "UTC"), at("2103-01-01"), at("2000-01-01")) == at("2096-02-29")


def test_a_group_without_a_schedule_never_fires() -> None:
    assert next_fire(group(None), at("2026-01-01")) is None


def test_a_skipped_local_time_fires_at_the_first_minute_that_exists() -> None:
    """02:30 does not exist in New York on 8 March 2026: 03:00 EDT is 07:00 UTC."""
    assert next_fires(group("30 2 * * *"), at("2026-03-07T12:00"), 2) == [
        at("2026-03-08T07:00"),
        at("2026-03-09T06:30"),
    ]


def test_a_repeated_fixed_hour_fires_once() -> None:
    """01:30 happens twice in New York on 1 November 2026; the first time counts."""
    assert next_fires(group("30 1 * * *"), at("2026-10-31T12:00"), 2) == [
        at("2026-11-01T05:30"),
        at("2026-11-02T06:30"),
    ]


@pytest.mark.parametrize("cron", ["0 * * * *", "30 */1 * * *", "*/30 * * * *", "*/15 */1 * * *"])
def test_every_hour_means_elapsed_hours(cron: str) -> None:
    """Both passes of a repeated hour fire, and a skipped one leaves no hole and no fire beside the beat."""
    beat = timedelta(minutes=int(cron.split()[0][2:])) if cron.startswith("*/") else timedelta(hours=1)
    for zone, days in CHANGES.items():
        for day in days if zone not in HALVES else ():
            found = next_fires(group(cron, zone), at(day) - timedelta(hours=15), 160)
            assert {later - earlier for earlier, later in pairwise(found)} == {beat}, (zone, day)


def test_day_of_month_or_day_of_week() -> None:
    """The classic rule: with both given, either matches. 13 is a Tuesday in January 2026."""
    assert next_fires(group("0 0 13 * 5", "UTC"), at("2026-01-08T00:00"), 3) == [
        at("2026-01-09T00:00"),
        at("2026-01-13T00:00"),
        at("2026-01-16T00:00"),
    ]


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 0 L * *", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("0 0 * * 5#2", ["2026-01-09", "2026-02-13", "2026-03-13"]),
        ("0 0 * * L5", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("0 0 * * sun", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("0 0 29 feb *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 * 2 5#5", ["2036-02-29", "2064-02-29", "2092-02-29"]),
    ],
)
def test_days_that_cron_has_beside_numbers(cron: str, days: list[str]) -> None:
    """The last day, the second Friday, the last Friday; and days that are years away."""
    assert next_fires(group(cron, "UTC"), at("2026-01-01T00:00"), 3) == [at(day) for day in days]


@pytest.mark.parametrize(
    ("cron", "after", "change"),
    [
        ("30 2 * * *", "2026-03-08T00:00", "skipped"),
        ("30 1 * * *", "2026-11-01T00:00", "repeated"),
        ("30 6 * * *", "2026-03-08T00:00", ""),
        ("0 * * * *", "2026-03-08T06:00", ""),  # 03:00 is an hour after 01:00, and called 03:00
        ("0 3 * * *", "2026-03-08T00:00", ""),
        ("0 2,3 * * *", "2026-03-08T00:00", ""),
        ("0 */2 * * *", "2026-03-08T06:00", "skipped"),
    ],
)
def test_a_fire_knows_what_a_clock_change_did_to_it(cron: str, after: str, change: str) -> None:
    """Skipped and repeated times are called so, unless another time of the schedule comes at the same instant."""
    assert next(explained_fires(group(cron), at(after))).change == change


def test_the_zones_of_these_tests_do_change() -> None:
    """Each day named above has a change nearby."""
    for zone, days in CHANGES.items():
        for day in days:
            near = [(at(day) + timedelta(hours=n)).astimezone(ZoneInfo(zone)).utcoffset() for n in (-30, 30)]
            assert near[0] != near[1], (zone, day)
