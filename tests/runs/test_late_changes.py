"""What arrives long after it began: refunds, changes that the search shows late, customers' totals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from courier import clock, sandbox
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.service import Settings
from tests.runs.hurried import Hurried
from tests.runs.tried import Tried, make, run_inside

SHOP = Options(seed=5, customers=12, orders=40, products=4, special=False)
Later = Callable[..., datetime]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves the clock on, and stops it there."""

    def move(**by: float) -> datetime:
        now = clock.now() + timedelta(**by)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    return move


@pytest.fixture
def project(tmp_path: Path, hurry: Hurried) -> Tried:
    return make(tmp_path / "project", hurry, SHOP)


def test_a_refund_long_after_its_order_and_totals_that_lag(project: Tried, later: Later) -> None:
    """An order of two years ago is refunded: it is read again, its refund lines replaced. Another one's price moves and
    its customer's record does not: the view over customers and orders says whose totals lag."""
    with sandbox.serve(sandbox.open_shop(project.place.state)) as served:
        run_inside(project, served)
        assert differing(project) == []
        before = {one for (one,) in project.query("SELECT id FROM shopify.order_line_refund")}
        now = later(days=40)
        sandbox.change(served.shop, 40)
        order = next(one.order for one in served.shop.history.orders.values() if counts(one.order))
        raise_price(served, order.id, int(now.timestamp()))
        run_inside(project, served)
        assert differing(project) == [order.customer_id]
        assert project.hashes() == hashes_of(served)
        ages = project.query(
            "SELECT r.id, o.updated_at - o.created_at > INTERVAL 90 DAY FROM shopify.order_line_refund r "
            'JOIN shopify.order_line l ON l.id = r.line_item_id JOIN shopify."order" o ON o.id = l.order_id'
        )
        assert any(late for line, late in ages if line not in before)


def test_look_back_finds_what_the_search_shows_late(project: Tried, later: Later) -> None:
    """A change that searches show after 300 seconds: a look-back of 0s loses it, the connector's own 15 minutes do not.

    Customers are searched by whole days: over midnight none of them is lost, whatever the look-back.
    """
    for feed in ("product", "product_tags", "product_variant"):
        project.edit("couriers/shopify.yaml", f"  {feed}:\n", f"  {feed}: {{ look_back: 0s }}\n")
    project.edit("courier_groups.yaml", "{ offset: 24h, wait: 30m }", "")
    settings = Settings(index_lag_seconds=300)
    with sandbox.serve(sandbox.open_shop(project.place.state), settings=settings) as served:
        now = clock.now()
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        later(seconds=(midnight - now).total_seconds() - 600)
        run_inside(project, served)
        later(seconds=570)
        sandbox.change(served.shop, 12)
        later(seconds=60)  # a day later, but the search does not show the change yet
        run_inside(project, served)
        assert project.hashes()["order"] != project.truth()["order"]
        later(seconds=600)
        run_inside(project, served)
        told, held = project.truth(), project.hashes()
        assert {table for table in told if held[table] != told[table]} & {"customer", "order", "order_line"} == set()
        assert held["product"] != told["product"]


def counts(order: object) -> bool:
    wanted = getattr(order, "customer_id", None) is not None and getattr(order, "cancelled_at", 1) is None
    return wanted and not getattr(order, "test", True)


def raise_price(served: Sandbox, order_id: int, at: int) -> None:
    """An order's total moves, and its customer's record does not."""
    orders = served.shop.history.orders
    placed = orders[order_id].order
    row = replace(placed, total_price=placed.total_price + 100, updated_at=at)
    orders[order_id] = replace(orders[order_id], order=row)
    served.service.reset()


def differing(project: Tried) -> list[int]:
    found = project.query("SELECT customer_id FROM shopify.customer_totals WHERE differs")
    return [int(one) for (one,) in found]


def hashes_of(served: Sandbox) -> dict[str, str]:
    return {one.table.removeprefix("shopify."): one.hash for one in sandbox.truth(served.shop)}
