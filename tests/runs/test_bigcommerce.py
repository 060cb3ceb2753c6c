"""Whole runs over a BigCommerce store."""

from __future__ import annotations

from pathlib import Path

from courier import sandbox
from courier.sandbox.bigcommerce.truth import KEYS
from courier.sandbox.history.options import Options
from tests.runs.hurried import BIGCOMMERCE, Hurried, trying

SHOP = Options(customers=20, orders=100, products=20)  # some of them never ordered, which can be deleted
COUNTERS = ("inserted", "updated", "deleted")


def test_every_table_is_the_truth_and_follows_the_store(hurry: Hurried, tmp_path: Path) -> None:
    """Sixteen tables after the first run, a run that has nothing to do, a change with deletes, and one more run.

    A change changes exactly the rows that the sandbox says it does.
    """
    with trying(tmp_path, hurry, tuple(KEYS), source=BIGCOMMERCE, options=SHOP) as tried:
        first = tried.run()
        assert (first.code, tried.is_true) == (0, True), first.err
        before, again = tried.hashes, tried.run()
        assert {feed[name] for feed in again.feeds.values() for name in COUNTERS} == {0}
        changed = sandbox.change(tried.served.shop, 60, ["bigcommerce"])
        after = tried.run()
        assert tried.is_true and tried.hashes != before
        found = {name: tuple(feed[counter] for counter in COUNTERS) for name, feed in after.feeds.items()}
        told = {one.table.split(".")[1]: (one.inserted, one.updated, one.deleted) for one in changed}
        assert found == told
        assert min(told["products"]) > 0 and told["product_variants"][2] > 0 and told["product_reviews"][2] > 0
        everything = tried.courier("run", "--courier", "bigcommerce", "--all", "--json")
        assert (everything.code, tried.is_true) == (0, True), everything.err
        assert {feed[name] for feed in everything.feeds.values() for name in COUNTERS} == {0}


def test_a_feed_without_its_scope_is_left_out_and_told(hurry: Hurried, tmp_path: Path) -> None:
    """The others are loaded; with the scope granted, the next run brings it."""
    with trying(tmp_path, hurry, ("channels", "order_statuses"), source=BIGCOMMERCE) as tried:
        tried.served.bigcommerce.set(scopes=("store_v2_orders_read_only",))
        lacking = tried.run()
        (skipped,) = lacking.named("FeedSkipped")
        assert (lacking.code, skipped["feed"]) == (0, "channels")
        assert skipped["reason"] == "scope_missing:store_channel_settings_read_only"
        assert any("store_channel_settings_read_only" in event["note"] for event in lacking.named("Noticed"))
        tried.served.bigcommerce.reset()
        assert tried.run().code == 0 and tried.is_true
