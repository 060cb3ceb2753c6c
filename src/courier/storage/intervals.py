"""Covered time as a set of half-open intervals: merging it, its gaps, and how far it reaches without one. Pure.

None on the left is the beginning of time. None on the right has no end; coverage is clamped to the present before it
is stored, so that side only occurs in arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from courier.clock import Interval

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants in as few intervals as possible, in order. Empty and inverted ones vanish."""
    merged: list[Interval] = []
    for interval in sorted((i for i in intervals if _start(i) < _end(i)), key=_start):
        if merged and _start(interval) <= _end(merged[-1]):
            last = max(merged[-1], interval, key=_end)
            merged[-1] = Interval(merged[-1].since, last.until)
        else:
            merged.append(interval)
    return merged


def gaps(intervals: Iterable[Interval]) -> list[Interval]:
    """What is not covered between the beginning of time and the last covered end."""
    merged = merge(intervals)
    ends = [None, *(interval.until for interval in merged)]
    return [Interval(end, interval.since) for end, interval in zip(ends, merged, strict=False) if interval.since]


def watermark(intervals: Sequence[Interval]) -> datetime | None:
    """The end of the contiguous prefix, from the first covered start; None if nothing is covered."""
    merged = merge(intervals)
    return merged[0].until if merged else None


def _start(interval: Interval) -> datetime:
    return interval.since or _FIRST


def _end(interval: Interval) -> datetime:
    return interval.until or _LAST
