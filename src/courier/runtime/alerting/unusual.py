"""Is a feed's latest run out of line with those before it? Pure, and robust: what is usual is a median.

Counts of a period grow with its length, so they are compared as rates. A feed has its rhythm over the day and the week:
where there are enough past runs of the same weekday and time of day, those alone are compared with.

Something unusual is told once: not again while the run before was just as unusual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

FEWEST = 8
"""Past runs without which nothing is usual yet."""
LEAST_TIME = timedelta(days=7)
"""They must span a week: the first hours of an hourly feed know nothing of the day."""
FEWEST_ALIKE = 4
ALIKE = timedelta(minutes=90)
"""Runs so far apart on the clock are of one time of day: clock changes move a local time by an hour in UTC."""
FACTOR = 4.0
"""Less than this much more or less is never unusual: weekends, seasons, a newsletter."""
SPREADS = 4.0
"""How many of its own usual deviations off a count must be ..."""
DEVIATIONS = 4.0
"""... and how many standard deviations of a count that comes by chance alone (Poisson)."""
EDGE = 0.05
"""... and beyond all but this share of the past runs at that end."""
LONGER = 2
"""A feed is stale when nothing came for this many times its longest pause so far."""
_OF_MAD = 1.4826  # a standard deviation, in medians of absolute deviations of a normal distribution


@dataclass(frozen=True)
class Count:
    """What one run brought of a feed: `rows` of the `length` of time that ends at `at`."""

    at: datetime
    length: timedelta
    rows: int


@dataclass(frozen=True)
class Volume:
    """A count that is out of line, and about how many are usual for that length of time."""

    rows: int
    usual: int
    length: timedelta


@dataclass(frozen=True)
class Stale:
    """No row has come since `since`, for `pause`; the longest pause before was `longest`."""

    since: datetime
    pause: timedelta
    longest: timedelta


def unusual_volume(counts: Sequence[Count]) -> Volume | None:
    """Whether the last of the counts, in order of time, is newly out of line with those before it."""
    found, before = _volume(counts), _volume(counts[:-1])
    same = found and before and (found.rows < found.usual) == (before.rows < before.usual)
    return None if same else found


def newly_stale(counts: Sequence[Count]) -> Stale | None:
    """Whether nothing has come for longer than usual, as of the last count, and not as of the one before."""
    return None if _stale(counts[:-1]) else _stale(counts)


def _volume(counts: Sequence[Count]) -> Volume | None:
    if len(counts) <= FEWEST or counts[-1].at - counts[0].at < LEAST_TIME:
        return None
    *past, last = counts
    sample = _alike(past, last)
    rates = sorted(count.rows / count.length.total_seconds() for count in sample)
    usual = median(rates) * last.length.total_seconds()
    off = _deviation(last.rows, usual)
    spread = _OF_MAD * median(abs(_deviation(c.rows, median(rates) * c.length.total_seconds())) for c in sample)
    unusual = (
        abs(off) > max(math.log(FACTOR), SPREADS * spread)
        and abs(last.rows - usual) > DEVIATIONS * math.sqrt(last.rows + usual + 1)
        and _beyond(last.rows / last.length.total_seconds(), rates)
    )
    return Volume(last.rows, round(usual), last.length) if unusual else None


def _alike(past: Sequence[Count], last: Count) -> Sequence[Count]:
    """The past runs of the same weekday and time of day, else of the same time of day, else all."""
    same_time = [count for count in past if _apart(count.at, last.at) <= ALIKE]
    same_day = [count for count in same_time if _weekday_apart(count.at, last.at)]
    enough = (sample for sample in (same_day, same_time) if len(sample) >= FEWEST_ALIKE)
    return next(enough, past)


def _apart(one: datetime, other: datetime) -> timedelta:
    """How far apart two instants are on the clock."""
    difference = (one - other) % timedelta(days=1)
    return min(difference, timedelta(days=1) - difference)


def _weekday_apart(one: datetime, other: datetime) -> bool:
    """Whether two instants of one time of day are whole weeks apart, but for what a clock change moves."""
    difference = (one - other) % timedelta(weeks=1)
    return min(difference, timedelta(weeks=1) - difference) <= ALIKE


def _deviation(rows: int, usual: float) -> float:
    """How many times more or less, as a logarithm. One row more on either side, so that none at all is a number."""
    return math.log((rows + 1) / (usual + 1))


def _beyond(rate: float, rates: Sequence[float]) -> bool:
    """Whether a rate lies beyond nearly all of the sorted others."""
    edge = int(EDGE * len(rates))
    return rate < rates[edge] or rate > rates[-1 - edge]


def _stale(counts: Sequence[Count]) -> Stale | None:
    came = [count.at for count in counts if count.rows > 0]
    pauses = [later - earlier for earlier, later in pairwise(came)]
    if len(pauses) < FEWEST or came[-1] - came[0] < LEAST_TIME:
        return None
    pause, longest = counts[-1].at - came[-1], max(pauses)
    return Stale(came[-1], pause, longest) if pause >= LONGER * longest else None
