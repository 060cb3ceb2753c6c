"""Runs over a part of the shop: a feed, a day, two halves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.runs.tried import SHOP, Tried

SINGLE = ("run", "--courier", "shopify", "--sandbox", "--json")


def test_one_feed_alone(fresh: Tried) -> None:
    """--feed loads that feed and no other, with the parent's identity from the source, not from its table."""
    run = fresh.courier(*SINGLE, "--feed", "order_tags")
    assert run.code == 0, run.err
    assert fresh.hashes() == {"order_tags": fresh.truth()["order_tags"]}
    assert {name for name, feed in run.feeds.items() if not feed["skipped"]} == {"order_tags"}


def test_two_halves_are_one_run(fresh: Tried, loaded_once: Tried) -> None:
    """A period in two halves, the later one first, leaves what one run over both leaves."""
    middle = datetime.now(UTC) - timedelta(days=300)
    for period in (("--since", f"{middle:%Y-%m-%d}"), ("--since", "2015-01-01", "--until", f"{middle:%Y-%m-%d}")):
        run = fresh.courier(*SINGLE, *period)
        assert run.code == 0, run.err
        assert 0 < run.feeds["order"]["read"] < SHOP.orders
    assert fresh.hashes() == loaded_once.hashes()


def test_a_day_is_the_groups(fresh: Tried, loaded_once: Tried) -> None:
    """--day takes the orders that were updated on that day in the group's time zone, all of them and no others."""
    local = "timezone('America/New_York', updated_at)::DATE"
    busiest = f'SELECT {local}, list(id ORDER BY id) FROM shopify."order" GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1'
    [(day, ids)] = loaded_once.query(busiest)
    fresh.run("--day", day.isoformat(), "--no-offset")
    assert [id for (id,) in fresh.query('SELECT id FROM shopify."order" ORDER BY id')] == ids
