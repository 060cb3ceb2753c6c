"""The arithmetic of covered time, against plain sets of seconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from courier.clock import Interval
from courier.storage.intervals import gaps, merge, watermark
from tests.storage.loads import at

SECONDS = st.integers(0, 12)
SPANS = st.lists(st.builds(lambda a, b: Interval(at(a), at(b)), SECONDS, SECONDS), max_size=6)


def covered(spans: list[Interval]) -> set[int]:
    return {n for n in range(13) for s in spans if s.since and s.until and s.since <= at(n) < s.until}


@given(SPANS)
def test_merging_keeps_the_instants_and_leaves_nothing_to_merge(spans: list[Interval]) -> None:
    """The merged intervals cover the same instants, in order and apart, and merging again is no change."""
    merged = merge(spans)
    assert covered(merged) == covered(spans)
    assert all(a.until and b.since and a.until < b.since for a, b in pairwise(merged))
    assert merge(merged) == merged == merge(reversed(spans))


@given(SPANS)
def test_gaps_and_coverage_are_everything_up_to_the_last_covered_instant(spans: list[Interval]) -> None:
    """From the beginning of time, without an overlap, and without a gap where everything is covered."""
    missing, seconds = gaps(spans), covered(spans)
    if not seconds:
        assert missing == []
        return
    assert merge([*missing, *spans]) == [Interval(None, at(max(seconds) + 1))]
    assert covered([Interval(gap.since or at(0), gap.until) for gap in missing]) & seconds == set()
    assert gaps([*missing, *spans]) == []


@given(SPANS)
def test_filling_the_gaps_one_by_one_leaves_none(spans: list[Interval]) -> None:
    """In whatever order; a gap that begins with time is filled by everything that there is."""
    while missing := gaps(spans):
        assert len(missing) <= len(merge(spans))
        spans = [missing[-1], *spans]


@given(SPANS)
def test_the_watermark_ends_the_contiguous_prefix(spans: list[Interval]) -> None:
    """Everything from the first covered instant to the watermark is covered, and the watermark itself is not."""
    end = watermark(spans)
    seconds = covered(spans)
    if end is None:
        assert seconds == set()
    else:
        prefix = {n for n in range(13) if at(min(seconds)) <= at(n) < end}
        assert prefix <= seconds
        assert end not in {at(n) for n in seconds}


@given(SPANS, SECONDS)
def test_a_start_without_bound_comes_first(spans: list[Interval], end: int) -> None:
    """An interval from the beginning of time is the prefix, as far as it and what touches it reach."""
    merged = merge([*spans, Interval(None, at(end))])
    assert merged[0].since is None
    assert watermark([*spans, Interval(None, at(end))]) == merged[0].until
