"""When a schedule fires, found out the slow way: minute by minute, with nothing of what it is to judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LONGEST_SKIP = timedelta(hours=24)
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def slow_fires(cron: str, timezone: str, after: datetime, until: datetime) -> list[datetime]:
    """The fires in (after, until], both whole minutes.

    A minute fires that the schedule names by its wall clock, unless hours are fixed and it is the second of that name.
    Where the wall clock jumps, a name that was jumped over fires on landing; where hours are `*` or `*/n`, it fires
    when it would have come without the jump.
    """
    named, fixed = _named(cron), not cron.split()[1].startswith("*")
    found = set()
    for instant, local, missing in _minutes(ZoneInfo(timezone), after - LONGEST_SKIP, until):
        if named(local) and not (fixed and local.fold):
            found.add(instant)
        found |= {instant if fixed else instant + n * MINUTE for n, name in enumerate(missing) if named(name)}
    return sorted(instant for instant in found if after < instant <= until)


def _minutes(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, list[datetime]]]:
    """Each minute, its wall clock, and the names that were jumped over to come there."""
    instant, expected = since, since.astimezone(zone).replace(tzinfo=None)
    while instant <= until:
        local = instant.astimezone(zone)
        name = local.replace(tzinfo=None, fold=0)
        yield instant, local, [expected + n * MINUTE for n in range((name - expected) // MINUTE)]
        instant, expected = instant.astimezone(UTC) + MINUTE, name + MINUTE


def _named(cron: str) -> Callable[[datetime], bool]:
    """Whether a wall clock shows what the schedule says. Both days restricted: either is enough."""
    minute, hour, day, month, weekday = (_values(*each) for each in zip(cron.split(), RANGES, strict=True))
    days, weekdays = cron.split()[2] != "*", cron.split()[4] != "*"

    def named(at: datetime) -> bool:
        if at.minute not in minute or at.hour not in hour or at.month not in month:
            return False
        on_day, on_weekday = at.day in day, at.isoweekday() in weekday or (at.isoweekday() == 7 and 0 in weekday)
        return (on_day or on_weekday) if days and weekdays else (on_day and on_weekday)

    return named


def _values(field: str, bounds: tuple[int, int]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low, high = bounds if span == "*" else (int(first), int(last or first))
        found |= set(range(low, high + 1, int(step or 1)))
    return found
