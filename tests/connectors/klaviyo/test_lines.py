"""Resources become lines, and periods become whole days: pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.clock import Interval
from courier.connectors.klaviyo.days import LONGEST, WINDOW, midnight, stretches, window
from courier.connectors.klaviyo.lines import order_items
from courier.connectors.klaviyo.roots import ROOTS, filter_of

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "UTC")
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def _placed(properties: dict[str, Any]) -> dict[str, Any]:
    related = {"profile": {"data": {"type": "profile", "id": "P"}}}
    attributes = {"datetime": "2026-01-01T00:00:00+00:00", "event_properties": properties}
    return {"type": "event", "id": "E", "attributes": attributes, "relationships": related}


@pytest.mark.parametrize(
    ("properties", "wanted"),
    [
        ({"OrderId": 7, "Items": [{"ProductID": 1, "SKU": "a", "Quantity": 2, "RowTotal": 5.5}]},
         ("7", "1", "a", 2, 5.5)),
        ({"$event_id": "7", "items": [{"product_id": "1", "sku": "a", "quantity": 2, "price": 2.75}]},
         ("7", "1", "a", 2, 5.5)),
        ({"order_id": "7", "line_items": [{"id": 1, "sku": "a", "quantity": 2, "line_total": 5.5}]},
         ("7", "1", "a", 2, 5.5)),
        ({"Items": [{}]}, (None, None, None, None, None)),
    ],
)  # fmt: skip
def test_integrations_name_the_fields_of_a_product_differently(
    properties: dict[str, Any], wanted: tuple[Any, ...]
) -> None:
    [line] = order_items(_placed(properties))
    assert tuple(line[name] for name in ("order_id", "product_id", "sku", "quantity", "line_value")) == wanted
    assert (line["event_id"], line["line_no"], line["profile_id"]) == ("E", 0, "P")


@given(INSTANTS, st.sampled_from(ZONES))
def test_a_report_covers_thirty_whole_days_that_are_over(until: datetime, name: str) -> None:
    """Law: it begins and ends at midnight, in the past, also across a change of the clocks; both ends belong to it."""
    zone = ZoneInfo(name)
    days = window(until, zone)
    assert days.after <= until < days.after + timedelta(days=1, hours=2)
    assert (days.first.hour, days.first.minute, days.last_second.hour, days.last_second.second) == (0, 0, 23, 59)
    assert (days.after.date() - days.first.date()).days == WINDOW


@given(INSTANTS, st.none() | st.integers(0, 1500), st.sampled_from(ZONES))
def test_days_tile_a_period_and_the_last_year(until: datetime, back: int | None, name: str) -> None:
    """Law: stretches of at most a year follow one another from the earlier of both to the last midnight."""
    zone = ZoneInfo(name)
    since = None if back is None else until - timedelta(days=back)
    found = list(stretches(Interval(since, until), until, zone))
    assert [one.after for one in found[:-1]] == [one.first for one in found[1:]]
    assert found[-1].after == midnight(until, zone)
    assert found[0].first <= min(since or until, midnight(until, zone, -LONGEST))
    assert all(0 < (one.after.date() - one.first.date()).days <= LONGEST for one in found)


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_period_is_asked_for_outwards(since: datetime, length: timedelta) -> None:
    """Law: whole seconds that hold the period; a strict lower end lies before it."""
    interval = Interval(since, since + length)
    for root in (ROOTS["Profile"], ROOTS["Event"], ROOTS["Campaign"]):
        low, high = (part.split(",")[1].rstrip(")") for part in filter_of(root, interval).split("),"))
        first, last = datetime.fromisoformat(low), datetime.fromisoformat(high)
        assert first < since if root.after == "greater-than" else first <= since
        assert since + length <= last < since + length + timedelta(seconds=1)
