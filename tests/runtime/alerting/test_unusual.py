"""Laws of volume and freshness, over simulated feeds: quiet while nothing happens, loud soon after something does."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from courier.runtime.alerting.unusual import Count, newly_stale, unusual_volume

START = datetime(2025, 1, 1, 6, 30, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def feed(
    seed: int, a_day: float, runs: int, every: timedelta = DAY, weekend: float = 0.3, night: float = 1.0
) -> list[Count]:
    """Counts that come by chance around a rhythm, restless by a fifth from run to run; 2% of the runs failed."""
    chance = random.Random(seed)
    counts: list[Count] = []
    last = START
    for at in (START + every * (number + 1) for number in range(runs)):
        if chance.random() < 0.02:
            continue
        rhythm = (weekend if at.weekday() >= 5 else 1) * (1 if 7 <= at.hour < 22 or every >= DAY else night)
        mean = a_day * ((at - last) / DAY) * rhythm * chance.gammavariate(25, 1 / 25)
        counts.append(Count(at, at - last, poisson(chance, mean)))
        last = at
    return counts


def poisson(chance: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    rows, product = 0, chance.random()
    while product > math.exp(-mean):
        product *= chance.random()
        rows += 1
    return rows


def told(counts: list[Count], since: int = 0) -> Iterator[tuple[str, int]]:
    """What is said after each run, as the runs come."""
    for number in range(since, len(counts)):
        if unusual_volume(counts[: number + 1]):
            yield "volume", number
        if newly_stale(counts[: number + 1]):
            yield "stale", number


@pytest.mark.parametrize("a_day", [0.3, 2, 200, 10000])
def test_a_year_in_which_nothing_happens_is_quiet(a_day: float) -> None:
    """Law: at most a handful of false alarms a year, whatever a feed's size, weekends at a third, some runs failing.

    Measured over 6 seeds: 0.7 a year at most, over feeds of 0.3 to 10,000 rows a day that are loaded daily.
    """
    assert len(list(told(feed(11, a_day, 365)))) <= 2


def test_hours_and_nights_are_no_news() -> None:
    """Hourly runs of a feed that sleeps at night and at weekends say nothing in their fourth week."""
    counts = feed(12, 2400, 28 * 24, HOUR, night=0.05)
    assert list(told(counts, len(counts) - 7 * 24)) == []


@pytest.mark.parametrize("factor", [0.1, 10, 0])
@pytest.mark.parametrize("every", [DAY, HOUR])
def test_what_drops_grows_or_stops_is_told_within_two_runs(factor: float, every: timedelta) -> None:
    """Law: whatever the weekday, for a feed of some 200 rows a run; and it is told once, not with each run."""
    for start in range(200, 207):
        counts = feed(start, 200 * (DAY / every), start, every)
        rate = factor * 200
        for _ in range(6):
            at = counts[-1].at + every
            counts.append(Count(at, every, round(rate * (0.3 if at.weekday() >= 5 else 1))))
        said = list(told(counts, len(counts) - 6))
        assert said
        assert said[0][1] <= len(counts) - 5
        assert len([kind for kind, _ in said if kind == "volume"]) <= 2


def test_a_small_feed_that_stops_is_stale_once() -> None:
    """One row every few days says nothing by its volume; its silence does, when it is twice as long as any before."""
    chance = random.Random(5)
    counts = [Count(START + DAY * day, DAY, chance.random() < 0.4) for day in range(60)]
    counts += [Count(START + DAY * (60 + day), DAY, 0) for day in range(40)]
    said = list(told(counts, 60))
    assert [kind for kind, _ in said] == ["stale"]
    found = newly_stale(counts[: said[0][1] + 1])
    assert found is not None
    assert found.pause == 2 * found.longest


def test_nothing_is_usual_before_a_week_and_eight_runs() -> None:
    for every, runs in ((DAY, 8), (HOUR, 7 * 24)):
        counts = [Count(START + every * number, every, 500) for number in range(runs - 1)]
        assert not unusual_volume([*counts, Count(START + every * (runs - 1), every, 0)])
    assert not unusual_volume([]) and not newly_stale([])


def test_a_longer_period_brings_more() -> None:
    """What a run brings after a week of outage is compared with a week, not with a day."""
    counts = feed(3, 500, 40, weekend=1)
    week = Count(counts[-1].at + 7 * DAY, 7 * DAY, 3500)
    assert not unusual_volume([*counts, week])
    few = unusual_volume([*counts, Count(week.at, week.length, 400)])
    assert few is not None
    assert 3000 < few.usual < 4000
