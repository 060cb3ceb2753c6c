"""What scheduled runs ask for over a whole life: the examples that Amperity's documents imply, and laws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from courier.clock import Interval
from courier.config.project import CourierGroup
from courier.runtime.period import between, next_period, of_day, request_of
from courier.runtime.schedule import last_fire, next_fire
from courier.storage import intervals

NOTHING, HOUR, DAY = timedelta(0), timedelta(hours=1), timedelta(days=1)


def group(schedule: str, timezone: str = "UTC") -> CourierGroup:
    return CourierGroup("g", schedule, timezone, True, "full", ())


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def span(since: str, until: str) -> Interval:
    return Interval(at(since), at(until))


@pytest.mark.parametrize(
    ("schedule", "timezone", "watermark", "offset", "fires", "request_"),
    [
        ("0 8 * * *", "UTC", "06-09T08:00", NOTHING, "06-10T08:00", span("06-09T08:00", "06-10T08:00")),
        ("0 8 * * *", "UTC", "06-09T08:00", DAY, "06-10T08:00", span("06-08T08:00", "06-10T08:00")),
        ("0 17 * * 1", "UTC", "06-01T17:00", NOTHING, "06-08T17:00", span("06-01T17:00", "06-08T17:00")),
        ("0 17 * * 1", "UTC", "06-01T17:00", DAY, "06-08T17:00", span("05-31T17:00", "06-08T17:00")),
        ("0 20 * * *", "America/Los_Angeles", "06-10T03:00", NOTHING, "06-11T03:00", span("06-10T03", "06-11T03")),
        ("0 8 * * *", "UTC", "06-08T08:00", NOTHING, "06-10T08:00", span("06-08T08:00", "06-10T08:00")),
        ("0 6 1 * *", "UTC", "05-01T06:00", NOTHING, "06-01T06:00", span("05-01T06:00", "06-01T06:00")),
        ("0 3 * * *", "UTC", "06-09T03:00", 6 * HOUR, "06-10T03:00", span("06-08T21:00", "06-10T03:00")),
        ("0 * * * *", "UTC", "06-10T09:00", DAY, "06-10T10:00", span("06-09T09:00", "06-10T10:00")),
    ],
    ids=["daily", "offset", "weekly", "weekly-offset", "local", "after-a-failure", "monthly", "6h", "hourly"],
)
def test_what_a_scheduled_run_asks_for(
    schedule: str, timezone: str, watermark: str, offset: timedelta, fires: str, request_: Interval
) -> None:
    """From the watermark, earlier by the offset, to the instant at which it fires."""
    missed = last_fire(group(schedule, timezone), at(fires) + timedelta(minutes=1), at(watermark))
    assert missed == at(fires)
    period = next_period(at(watermark), missed)
    assert period is not None
    assert period == Interval(at(watermark), at(fires))
    assert request_of(period, offset, NOTHING) == request_


def test_a_row_updated_while_a_run_waits_belongs_to_the_next_one() -> None:
    """A wait moves no period: 08:30 is not in the request of 08:00, however late that run could begin."""
    today = next_period(at("06-09T08:00"), at("06-10T08:00"))
    tomorrow = next_period(at("06-10T08:00"), at("06-11T08:00"))
    assert today and tomorrow
    assert not holds(request_of(today, NOTHING, NOTHING), at("06-10T08:30"))
    assert holds(request_of(tomorrow, NOTHING, NOTHING), at("06-10T08:30"))


def test_what_a_run_by_hand_asks_for() -> None:
    """A day with an offset of a day, and three days without one: the schedule has no say."""
    now = at("12-31T00:00")
    day = of_day(date(2026, 6, 10), "UTC", now)
    assert request_of(day, DAY, NOTHING) == span("06-09T00:00", "06-11T00:00")
    days = between(at("06-08T00:00"), at("06-11T00:00"), now)
    assert request_of(days, NOTHING, NOTHING) == span("06-08T00:00", "06-11T00:00")


@dataclass(frozen=True)
class Step:
    """So much time goes by with the machine off; then this schedule is in force for one run, which may fail."""

    off: timedelta
    schedule: str
    zone: str
    succeeds: bool


@dataclass(frozen=True)
class Run:
    began: datetime
    period: Interval
    succeeded: bool


def crons() -> st.SearchStrategy[str]:
    minutes, hours = st.sampled_from(["0", "30", "*/20", "*"]), st.sampled_from(["*", "*/3", "0", "1", "2", "6,18"])
    days = st.sampled_from(["* * *", "* * *", "* * 1", "1 * *", "*/2 * *", "13 * 5"])
    return st.tuples(minutes, hours, days).map(" ".join)


steps = st.lists(
    st.builds(
        Step,
        st.timedeltas(NOTHING, 3 * DAY),
        crons(),
        st.sampled_from(sorted(available_timezones())),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
starts = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def live(start: datetime, life: list[Step]) -> Iterator[Run]:
    """The runs of a group whose machine is switched off, whose runs fail and whose schedule is edited."""
    now, seen = start, start
    coverage: list[Interval] = []
    for step in life:
        edited = group(step.schedule, step.zone)
        now = max(now + step.off, next_fire(edited, now) or now)
        scheduled = last_fire(edited, now, seen)
        period = next_period(intervals.watermark(coverage), scheduled) if scheduled else None
        if period is not None:
            yield Run(now, period, step.succeeds)
            coverage = intervals.merge([*coverage, period] if step.succeeds else coverage)
            seen = now


@settings(max_examples=80, deadline=None)
@given(starts, steps)
@example(datetime(2011, 12, 30, 9, 30, tzinfo=UTC), [Step(NOTHING, "0 2 * * *", "Pacific/Apia", True)] * 3)
def test_periods_of_any_life_tile(start: datetime, life: list[Step]) -> None:
    """No gap and no overlap between successful runs; a failed run's period is within the next one's."""
    runs = list(live(start, life))
    good = [run.period for run in runs if run.succeeded]
    assert all(later.since == earlier.until for earlier, later in pairwise(good))
    assert not good or good[0].since is None
    for failed, after in pairwise(runs):
        if not failed.succeeded:
            assert after.period.since == failed.period.since
            assert after.period.until and failed.period.until and after.period.until > failed.period.until


@settings(max_examples=80, deadline=None)
@given(
    starts, steps, st.timedeltas(NOTHING, 30 * DAY), st.timedeltas(NOTHING, 3 * DAY), st.timedeltas(NOTHING, 3 * DAY)
)
def test_a_row_updated_at_any_instant_is_loaded(
    start: datetime, life: list[Step], when: timedelta, offset: timedelta, look_back: timedelta
) -> None:
    """Some run's period has it, that run begins after it, and the run's request contains the period."""
    updated = start + when - 5 * DAY
    good = [run for run in live(start, life) if run.succeeded]
    for run in good:
        request = request_of(run.period, offset, look_back)
        assert contains(request, run.period)
    if good and good[-1].period.until and updated < good[-1].period.until:
        loading = [run for run in good if holds(run.period, updated)]
        assert len(loading) == 1
        assert loading[0].began > updated


def holds(interval: Interval, instant: datetime) -> bool:
    return (interval.since is None or interval.since <= instant) and (
        interval.until is None or instant < interval.until
    )


def contains(outer: Interval, inner: Interval) -> bool:
    starts = outer.since is None or (inner.since is not None and outer.since <= inner.since)
    ends = outer.until is None or (inner.until is not None and inner.until <= outer.until)
    return starts and ends
