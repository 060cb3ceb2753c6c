"""Periods: consecutive ones tile, requests only ever reach further back, days are calendar days."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.clock import Interval
from courier.errors import UsageError
from courier.runtime.period import between, next_period, of_day, parse_instant, request_of

instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
NOW = datetime(2040, 1, 1, tzinfo=UTC)
ODD_DAYS = ["America/Sao_Paulo", "Africa/Cairo", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "UTC"]
lengths = st.timedeltas(timedelta(0), timedelta(days=40))


@given(st.lists(instants, min_size=1, max_size=8, unique=True))
def test_periods_of_consecutive_runs_tile(scheduled: list[datetime]) -> None:
    """From the beginning to the last instant: no gap, no overlap, whatever the instants are."""
    watermark: datetime | None = None
    periods = []
    for instant in sorted(scheduled):
        period = next_period(watermark, instant)
        assert period is not None
        periods.append(period)
        watermark = period.until
    assert periods[0].since is None
    assert all(later.since == earlier.until for earlier, later in pairwise(periods))
    assert periods[-1].until == max(scheduled)


@given(instants, lengths)
def test_a_fire_at_or_before_the_watermark_is_covered(watermark: datetime, earlier: timedelta) -> None:
    assert next_period(watermark, watermark - earlier) is None


@given(instants, lengths, lengths, lengths)
def test_a_request_contains_its_period(since: datetime, length: timedelta, offset: timedelta, back: timedelta) -> None:
    """It begins earlier by the longer of offset and look-back, and ends where the period ends."""
    period = Interval(since, since + length)
    request = request_of(period, offset, back)
    assert request.until == period.until
    assert request.since is not None and since - request.since == max(offset, back)


@given(instants, lengths)
def test_the_first_request_has_no_bounds(until: datetime, offset: timedelta) -> None:
    """From the beginning means everything: what is absent from it was deleted."""
    assert request_of(Interval(None, until), offset, offset) == Interval(None, None)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 6, 1), 24), (date(2026, 11, 1), 25)])
def test_a_day_is_as_long_as_the_clocks_say(day: date, hours: int) -> None:
    period = of_day(day, "America/New_York", datetime(2027, 1, 1, tzinfo=UTC))
    assert period.since is not None and period.until is not None
    assert period.until - period.since == timedelta(hours=hours)


def test_the_future_is_cut_off() -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert between(now - timedelta(hours=1), now + timedelta(hours=1), now).until == now


@pytest.mark.parametrize("hours", [0, -1])
def test_a_period_without_length_is_refused(hours: int) -> None:
    """until is exclusive: equal ends and inverted ones are a wrong command line."""
    since = datetime(2026, 11, 20, tzinfo=UTC)
    with pytest.raises(UsageError, match="empty") as refused:
        between(since, since + timedelta(hours=hours), since + timedelta(days=1))
    assert refused.value.exit_code == 2


def test_a_period_in_the_future_is_refused() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    with pytest.raises(UsageError, match="future"):
        between(now + timedelta(hours=1), None, now)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-20", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("2026-11-20T06:30:00", datetime(2026, 11, 20, 11, 30, tzinfo=UTC)),
        ("2026-11-20T06:30:00Z", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
        ("2026-11-20T06:30:00+01:00", datetime(2026, 11, 20, 5, 30, tzinfo=UTC)),
    ],
)
def test_instants_without_an_offset_are_local(written: str, instant: datetime) -> None:
    assert parse_instant(written, "America/New_York") == instant


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-08T02:30:15", datetime(2026, 3, 8, 7, tzinfo=UTC)),  # skipped: 03:00 EDT
        ("2026-11-01T01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # twice: the first time
    ],
)
def test_local_instants_where_the_clocks_change(written: str, instant: datetime) -> None:
    """As a schedule means them: the first minute that exists, the first of two."""
    assert parse_instant(written, "America/New_York") == instant


def test_what_is_no_instant_is_refused() -> None:
    with pytest.raises(UsageError, match="neither a date nor an instant"):
        parse_instant("yesterday", "UTC")


@pytest.mark.parametrize("written", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_years_that_no_shop_has_known_are_refused(written: str) -> None:
    """They are no trace: time zones and offsets would lead out of what can be counted."""
    with pytest.raises(UsageError, match="outside of the years"):
        parse_instant(written, "Asia/Tokyo")
    with pytest.raises(UsageError, match="outside of the years"):
        of_day(date.fromisoformat(written[:10]), "Asia/Tokyo", datetime(2026, 1, 1, tzinfo=UTC))


def test_an_offset_reaches_back_no_further_than_time() -> None:
    """However long, it is no error."""
    since = parse_instant("1900-01-01", "Asia/Tokyo")
    request = request_of(Interval(since, since + timedelta(days=1)), timedelta.max, timedelta(0))
    assert request.since is not None and request.since < since


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.sampled_from(ODD_DAYS))
def test_days_tile(day: date, zone: str) -> None:
    """A day ends where the next one begins, also where there is no midnight; all its instants bear its date."""
    today, tomorrow = (of_day(one, zone, NOW) for one in (day, day + timedelta(days=1)))
    assert today.since is not None and today.until is not None
    assert today.until == tomorrow.since
    local = today.since.astimezone(ZoneInfo(zone))
    assert local.date() == day
    assert (today.since - timedelta(minutes=1)).astimezone(ZoneInfo(zone)).date() < day


def test_a_day_that_the_clocks_skipped_is_refused() -> None:
    """Samoa went from the 29th to the 31st of December 2011."""
    with pytest.raises(UsageError, match=r"there was no 2011-12-30 in Pacific/Apia"):
        of_day(date(2011, 12, 30), "Pacific/Apia", NOW)
    before, after = (of_day(date(2011, 12, day), "Pacific/Apia", NOW) for day in (29, 31))
    assert before.until == after.since
