from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from courier.clock import Interval
from courier.connectors.shopify.chain import (
    Place,
    Scope,
    advance,
    begin,
    filter_of,
    parsed,
    place_from,
    restart,
    scope_of,
    sort_of,
    whole_filter,
)
from courier.connectors.shopify.graph import ROOTS

A = datetime(2026, 11, 19, 13, 5, 7, 250000, tzinfo=UTC)
B = datetime(2026, 11, 20, 6, 30, 0, 1, tzinfo=UTC)


def test_bounds_are_whole_seconds_outwards() -> None:
    assert whole_filter(scope_of(ROOTS["Order"], Interval(A, B))) == (
        "updated_at:>='2026-11-19T13:05:07Z' AND updated_at:<'2026-11-20T06:30:01Z'"
    )


def test_since_bounds_orders_by_their_creation_and_nothing_else() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert whole_filter(scope_of(ROOTS["Order"], Interval(None, None), since)) == "created_at:>='2026-01-01T00:00:00Z'"
    assert whole_filter(scope_of(ROOTS["Product"], Interval(None, None), since)) is None


def test_customers_are_filtered_by_whole_days_and_without_an_upper_bound() -> None:
    assert whole_filter(scope_of(ROOTS["Customer"], Interval(A, B))) == "updated_at:>='2026-11-18T00:00:00Z'"


def test_everything_has_no_bound_at_all() -> None:
    """What is absent from a pull of everything is known to be gone, so nothing may be left out by an upper bound."""
    for root in ROOTS.values():
        assert whole_filter(scope_of(root, Interval(None, B))) is None


def test_a_place_survives_as_json() -> None:
    place = Place(low="2026-11-19T00:00:00Z", until="2026-11-20T00:00:00Z", beyond=7, after="x", seen=3)
    assert place_from(place.as_json()) == place


def simulated(times: list[int], scope: Scope, longest: int, first: int, stop: int | None = None) -> list[int]:
    """Read a source that holds object i at times[i] (seconds), by nothing but filter, sort and cursor."""
    origin = datetime(2026, 1, 1, tzinfo=UTC)
    place: Place | None = begin(scope)
    read: list[int] = []
    pages = 0
    while place:
        pages += 1
        assert pages < 10_000, "no progress"
        place = place_from(place.as_json())
        low, until = parsed(place.low), parsed(place.until)
        bounds = [bound for bound in (until, scope.high) if bound]
        shown = [
            (times[i], i)
            for i in range(len(times))
            if (low is None or origin + timedelta(seconds=times[i]) >= low)
            and all(origin + timedelta(seconds=times[i]) < bound for bound in bounds)
            and (place.beyond is None or i > place.beyond)
        ]
        shown.sort(key=(lambda pair: pair[1]) if sort_of(scope, place) == "ID" else None)
        at = int(place.after or 0)
        assert at < longest + first, "the chain is too long"
        page = shown[at : at + first]
        met = [(i, (origin + timedelta(seconds=time)).isoformat().replace("+00:00", "Z")) for time, i in page]
        read += [i for _, i in page]
        cursor = str(at + first) if at + first < len(shown) else None
        if stop is not None and pages == stop and cursor is not None:  # the cursor is refused
            place = restart(scope, place)
            continue
        place = advance(scope, place, met, cursor, longest)
    return read


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.integers(0, 12), max_size=60),
    st.integers(1, 9),
    st.integers(1, 6),
    st.none() | st.integers(1, 5),
    st.booleans(),
)
def test_chains_lose_nothing_and_never_grow_too_long(
    times: list[int], longest: int, first: int, refused: int | None, days: bool
) -> None:
    """However many objects share one moment, and wherever a cursor is refused, every object is read."""
    granule = timedelta(seconds=3) if days else timedelta(seconds=1)
    scope = Scope(None, None, granule=granule, overlap=granule if days else timedelta(0))
    assert set(simulated(times, scope, longest, first, refused)) == set(range(len(times)))


def test_one_crowded_second_is_read_by_id() -> None:
    scope = Scope(None, None)
    read = simulated([5] * 100 + [6] * 3, scope, longest=20, first=10)
    assert set(read) == set(range(103))
    crowded = restart(scope, Place(low="2026-01-01T00:00:05Z", last="2026-01-01T00:00:05Z"))
    assert sort_of(scope, crowded) == "ID"
    assert filter_of(scope, crowded) == "updated_at:>='2026-01-01T00:00:05Z' AND updated_at:<'2026-01-01T00:00:06Z'"
    beyond = restart(scope, Place(low=crowded.low, until=crowded.until, last_id=41))
    assert (filter_of(scope, beyond) or "").endswith("AND id:>41")


@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)), min_size=2, max_size=6))
def test_requests_of_consecutive_periods_leave_no_gap(instants: list[datetime]) -> None:
    cuts = sorted(instant.replace(tzinfo=UTC) for instant in instants)
    scopes = [scope_of(ROOTS["Order"], Interval(*pair)) for pair in pairwise(cuts)]
    for scope, (since, until) in zip(scopes, pairwise(cuts), strict=True):
        assert scope.low and scope.high and scope.low <= since and until <= scope.high
        assert since - scope.low < timedelta(seconds=1) and scope.high - until < timedelta(seconds=1)
