"""The one door to croniter: five fields, checked, and the times they mean.

croniter reads the fields. The times are counted here: it takes 45 µs for each, a hundred times as long.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from courier.clock import now

FIELDS = ("minute", "hour", "day of month", "month", "day of week")
DAY = timedelta(days=1)
# The fifth Friday of February is the rarest of days: it can be 40 years away.
PATIENCE = timedelta(days=50 * 366)


def check_cron(expression: str) -> str | None:
    """What is wrong with a schedule, or None."""
    # Imported here: it takes 70 ms, and a command that reads no schedule need not wait for it.
    from croniter import CroniterError, croniter

    fields = expression.split()
    if len(fields) != len(FIELDS):
        return f"a schedule has five fields ({', '.join(FIELDS)}), this one has {len(fields)}"
    for position, field in enumerate(fields):
        alone = ["*"] * len(FIELDS)
        alone[position] = field
        # croniter also takes hashed and random fields (H, R), which fire at an instant that nobody wrote down
        if not croniter.is_valid(" ".join(alone)) or field[0] in "hHrR":
            return f"`{field}` cannot be the {FIELDS[position]}"
    try:
        first = next(local_times(expression, now().replace(tzinfo=None)), None)
    except CroniterError:
        first = None
    return "this schedule never fires" if first is None else None


def follows_elapsed_time(expression: str) -> bool:
    """Whether the hours are `*` or `*/n`, which a clock change does not touch."""
    return expression.split()[1].startswith("*")


def local_times(expression: str, start: datetime) -> Iterator[datetime]:
    """The wall-clock times after `start`, both without a zone, as if no clock ever changed.

    Ends only where none comes within fifty years, or before the year 9999.
    """
    cron = _read(expression)
    day = start.date()
    times = cron.times[bisect_right(cron.times, start.time()) :]
    last = _patient(day)
    while day < last:
        if day.month not in cron.months:
            day, times = _next_month(day), cron.times
            continue
        if cron.has(day):
            yield from (datetime.combine(day, at) for at in times)
            last = _patient(day)
        day, times = day + DAY, cron.times


@dataclass(frozen=True)
class _Cron:
    """The five fields as what they let through. Days are of the classic rule: where both are restricted, either."""

    times: tuple[time, ...]
    months: frozenset[int]
    days: frozenset[int | str] | None  # of the month, `l` for its last; None: not restricted
    weekdays: frozenset[int] | None  # 0 is Sunday; None: not restricted
    which: dict[int, frozenset[int | str]]  # of these weekdays only the second, `l` for the last

    def has(self, day: date) -> bool:
        if self.days is None:
            return self.weekdays is None or self._has_weekday(day)
        return self._has_day(day) or (self.weekdays is not None and self._has_weekday(day))

    def _has_day(self, day: date) -> bool:
        assert self.days is not None
        return day.day in self.days or ("l" in self.days and (day + DAY).day == 1)

    def _has_weekday(self, day: date) -> bool:
        assert self.weekdays is not None
        weekday = day.isoweekday() % 7
        which = self.which.get(weekday)
        if which is None:
            return weekday in self.weekdays
        return (day.day + 6) // 7 in which or ("l" in which and (day + 7 * DAY).month != day.month)


@lru_cache(maxsize=16_384)
def _read(expression: str) -> _Cron:
    from croniter import croniter

    (minutes, hours, days, months, weekdays), which = croniter.expand(expression)
    return _Cron(
        times=tuple(time(hour, minute) for hour in _all(hours, range(24)) for minute in _all(minutes, range(60))),
        months=frozenset(_all(months, range(1, 13))),
        days=None if days == ["*"] else frozenset(days),
        weekdays=None if weekdays == ["*"] else frozenset(int(weekday) for weekday in weekdays),
        which={int(weekday): frozenset(each) for weekday, each in which.items()},
    )


def _all(field: Sequence[int | str], every: range) -> list[int]:
    return list(every) if field == ["*"] else sorted(int(value) for value in field)


def _patient(day: date) -> date:
    last = date(9998, 12, 31)
    return min(day, last - PATIENCE) + PATIENCE


def _next_month(day: date) -> date:
    return (day.replace(day=1) + 31 * DAY).replace(day=1)
