"""Whether tables are as new as schedules promise: by the fire that should be in, with every wait that it may use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from courier.config.project import Constraint, Courier, CourierGroup, DomainTable, Feed, GroupCourier, RowPath
from courier.runtime.freshness import Overdue, due_by, overdue

HOUR = timedelta(hours=1)
SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)  # a fire
MEMBER = GroupCourier("shop", wait=HOUR)
DAILY = CourierGroup("daily", "0 6 * * *", "UTC", True, "full", (MEMBER,))
ALERTED = replace(DAILY, alert_after=2 * HOUR)
TABLE = DomainTable("order", "domain_tables/shop/order.yaml", RowPath("Order"), ("id",), ())
SHOP = Courier("shop", "couriers/shop.yaml", "shopify", None, {}, "shop", (Feed("order", TABLE),))


@pytest.mark.parametrize(
    ("group", "hours", "days_before"),
    [
        (ALERTED, 2.99, 1),  # its two hours, after an hour's wait for the source
        (ALERTED, 3, 0),
        (replace(ALERTED, constraints=(Constraint("other", wait=4 * HOUR),)), 6.99, 1),
        (replace(ALERTED, constraints=(Constraint("other", wait=4 * HOUR),)), 7, 0),
        (DAILY, 0.99, 2),  # without alert_after it has until the next fire
        (DAILY, 1, 1),
    ],
)
def test_a_fire_is_due_once_all_waits_are_over(group: CourierGroup, hours: float, days_before: int) -> None:
    assert due_by(group, "shop", SIX + hours * HOUR) == SIX - days_before * 24 * HOUR


def test_what_does_not_run_by_itself_is_never_due() -> None:
    for group in (replace(DAILY, enabled=False), replace(DAILY, schedule=None), replace(DAILY, couriers=())):
        assert due_by(group, "shop", SIX) is None


def test_a_feed_is_behind_until_it_is_loaded_up_to_the_fire() -> None:
    """One that is loaded now and then may be older by as much."""
    now, groups = SIX + 3 * HOUR, {"daily": ALERTED}
    assert overdue(SHOP, groups, {"order": SIX}, now) == ()
    assert overdue(SHOP, groups, {"order": SIX - HOUR}, now) == (Overdue("order", "daily", SIX, SIX - HOUR),)
    assert overdue(SHOP, groups, {}, now) == (Overdue("order", "daily", SIX, None),)
    rare = replace(SHOP, feeds=(replace(SHOP.feeds[0], every=24 * HOUR),))
    assert overdue(rare, groups, {"order": SIX - 24 * HOUR}, now) == ()
    assert overdue(rare, groups, {"order": SIX - 25 * HOUR}, now) != ()
