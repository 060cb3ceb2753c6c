"""Abandoned checkouts: records that can be searched by time and sorted by id only, and that the shop does not keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from courier.clock import Interval
from courier.config.project import Feed
from courier.connectors.shopify.chain import begin, filter_of, restart, scope_of, sort_of
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.paging import Limits
from courier.sandbox.history.checkouts import checkouts
from courier.sandbox.server import Sandbox
from tests.connectors.shopify.pulling import lines, pull, session
from tests.connectors.shopify.shipped import courier, project

ROOT = ROOTS["AbandonedCheckout"]


def test_chains_go_by_id_and_miss_none(sandbox: Sandbox, tmp_path: Path) -> None:
    """With chains of 5 records and pages of 3, every checkout comes exactly once, and nothing that opens one."""
    found = lines(pull(sandbox, tmp_path, ROOT.type, limits=Limits(longest=5, sizes=(3, 1))), ROOT.type)
    assert sorted(int(one["id"].rsplit("/")[-1]) for one in found) == sorted(checkouts(sandbox.shop.history))
    assert not any("url" in name.lower() for one in found for name in one)


def test_a_chain_that_grew_long_goes_on_after_its_last_id() -> None:
    """The period stays in the filter, the order stays by id."""
    scope = scope_of(ROOT, Interval(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)))
    place = restart(scope, replace(begin(scope), last="2026-01-02T12:00:00Z", last_id=42))
    assert sort_of(scope, begin(scope)) == sort_of(scope, place) == "ID"
    period = "updated_at:>='2026-01-02T00:00:00Z' AND updated_at:<'2026-01-03T00:00:00Z'"
    assert (filter_of(scope, begin(scope)), filter_of(scope, place)) == (period, f"{period} AND id:>42")


def test_absence_is_no_delete(sandbox: Sandbox, tmp_path: Path) -> None:
    """Shopify drops old checkouts, so a pull of everything deletes none."""
    feed = Feed("abandoned_checkout", project().folders["shopify"]["abandoned_checkout"])
    given = replace(courier(), feeds=(*courier().feeds, feed))
    assert session(sandbox, tmp_path, given=given).preflight().bounded == {"AbandonedCheckout"}
