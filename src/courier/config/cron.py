"""The one door to croniter: five fields, checked, and the times they mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from courier.clock import now

FIELDS = ("minute", "hour", "day of month", "month", "day of week")


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
        next(local_times(expression, now().replace(tzinfo=None)))
    except CroniterError:
        return "this schedule never fires"
    return None


def local_times(expression: str, start: datetime) -> Iterator[datetime]:
    """The wall-clock times after `start`, both without a zone, as if no clock ever changed. Never ends."""
    from croniter import croniter

    times = croniter(expression, start, day_or=True)
    while True:
        yield times.get_next(datetime)
