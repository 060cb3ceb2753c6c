"""Fires: in order, strictly later, once per scheduled local time, also where the clocks change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.config.project import CourierGroup
from courier.runtime.schedule import last_fire, next_fire, next_fires

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"]


def group(schedule: str | None, timezone: str = "America/New_York") -> CourierGroup:
    return CourierGroup("g", schedule, timezone, True, "full", ())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_group_without_a_schedule_never_fires() -> None:
    assert next_fire(group(None), at("2026-01-01")) is None


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["30 6 * * *", "*/30 * * * *", "0 */2 * * *", "0 8 * * 1", "15 2 1 * *", "0 0 13 * 5"]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
)
def test_fires_follow_one_another(schedule: str, timezone: str, after: datetime) -> None:
    """Strictly increasing, later than `after`, and asking again from any of them gives the rest."""
    fires = next_fires(group(schedule, timezone), after, 5)
    assert all(earlier < later for earlier, later in pairwise([after, *fires]))
    assert next_fires(group(schedule, timezone), fires[1], 3) == fires[2:]


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


@pytest.mark.parametrize("schedule", ["0 * * * *", "0 */1 * * *"])
def test_every_hour_means_elapsed_hours(schedule: str) -> None:
    """Both passes of the repeated hour fire, and the skipped one leaves no hole."""
    for start in ("2026-11-01T03:30", "2026-03-08T03:30"):
        fires = next_fires(group(schedule), at(start), 6)
        assert all(later - earlier == timedelta(hours=1) for earlier, later in pairwise(fires))


def test_missed_fires_collapse_into_the_latest() -> None:
    hourly = group("0 * * * *", "UTC")
    assert last_fire(hourly, at("2026-01-01T10:30"), at("2026-01-01T03:00")) == at("2026-01-01T10:00")
    assert last_fire(hourly, at("2026-01-01T10:30"), at("2026-01-01T10:00")) is None


def test_day_of_month_or_day_of_week() -> None:
    """The classic rule: with both given, either matches. 13 is a Tuesday in January 2026."""
    fires = next_fires(group("0 0 13 * 5", "UTC"), at("2026-01-08T00:00"), 3)
    assert fires == [at("2026-01-09T00:00"), at("2026-01-13T00:00"), at("2026-01-16T00:00")]
