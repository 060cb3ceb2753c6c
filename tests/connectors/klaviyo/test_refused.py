"""What an account or a key does not have: each is said, columns are null with their reason, and nothing crashes."""

from __future__ import annotations

import pytest

from tests.connectors.klaviyo.running import Running


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"revisions": ("2027-01-15",)}, "revision 2026-07-15 of the API is not served any more (410)"),
        (
            {"revisions": ("2027-01-15",), "retired_status": 400},
            "revision 2026-07-15 of the API is not served any more",
        ),
        ({"answers_in": "2026-10-15"}, "answers in revision 2026-10-15, and was asked in 2026-07-15"),
        ({"scopes": ("profiles:read",)}, "The API key is missing required scopes: accounts:read"),
    ],
)
def test_another_revision_is_said(settings: dict[str, object], said: str, running: Running) -> None:
    """A retired revision, or an answer in another one, ends the run before anything is stored."""
    running.configure(**settings)
    ended = running.run("profiles", "campaigns")
    assert ended.result == "failed"
    assert said in ended.problem
    assert ended.fix
    assert running.klaviyo.key not in ended.problem + ended.fix


def test_feeds_without_their_scope_are_left_out(running: Running) -> None:
    """The others are loaded; a membership needs the scope of its profiles too."""
    held = [scope for scope in running.klaviyo.settings.scopes if scope not in ("events:read", "catalogs:read")]
    running.configure(scopes=tuple(scope for scope in held if scope != "profiles:read"))
    wanted = ("lists", "list_profiles", "events", "order_items", "catalog_items", "templates", "profiles")
    assert running.run(*wanted).result == "succeeded"
    skipped = {event.feed: event.reason for event in running.told("FeedSkipped") if event.feed in wanted}
    assert skipped == {
        "list_profiles": "scope_missing:profiles:read",
        "profiles": "scope_missing:profiles:read",
        "events": "scope_missing:events:read",
        "order_items": "scope_missing:events:read",
        "catalog_items": "scope_missing:catalogs:read",
    }
    assert running.hashes() == running.truth(["lists", "templates"])


def test_a_plan_without_predictions_has_null_columns_with_their_reason(running: Running) -> None:
    """Everything else of the profiles is there, at the faster limit."""
    running.configure(predictions="refused")
    assert running.run("profiles").result == "succeeded"
    assert "the account has no predictions, their columns are null" in running.notes
    rows = running.query("SELECT count(*), count(predictive_analytics__total_clv), count(email) FROM klaviyo.profiles")
    assert rows[0][0] == 30 and rows[0][1] == 0 and rows[0][2] > 0
    reasons = running.query(
        "SELECT DISTINCT reason FROM courier.column_status WHERE column_name LIKE 'predictive_analytics__%'"
    )
    assert reasons == [("plan:predictive_analytics",)]


def test_what_is_empty_for_want_of_a_prerequisite_says_so(running: Running) -> None:
    """Predictions that nobody has, and a catalogue that was never sent: an empty one does not empty the tables."""
    assert running.run("catalog_items", "catalog_variants").result == "succeeded"
    running.configure(predictions="missing", catalogue=False)
    running.next_day()
    assert running.run("profiles", "catalog_items", "catalog_variants").result == "succeeded"
    assert "the catalogue is empty: Klaviyo was sent none" in running.notes
    assert "none of the latest profiles has predictions" in running.notes
    assert running.query("SELECT count(*) FROM klaviyo.catalog_items") == [(6,)]


def test_a_feed_of_chosen_metrics(running: Running) -> None:
    """`metrics:` reads those alone; a name that the account does not have leaves the feed out."""
    file = running.root / "couriers" / "klaviyo.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("  events:", "  events: { metrics: [Placed Order, Clicked SMS] }", 1), "utf-8")
    assert running.run("events").result == "succeeded"
    assert running.query("SELECT DISTINCT metric_id FROM klaviyo.events ORDER BY 1") == [("MtrOrd",), ("MtrSmc",)]
    file.write_text(text.replace("  events:", "  events: { metrics: [Placed Odor] }", 1), "utf-8")
    running.next_day()
    running.run("events")
    assert [event.reason for event in running.told("FeedSkipped") if event.feed == "events"] == [
        "metric_missing:Placed Odor"
    ]


@pytest.mark.parametrize(
    ("feed", "record", "page"),
    [("profiles", "01SANDBOX00000000000000007", "sort=id&"), ("segments", "SegAny", "page%5Bsize%5D=10&")],
)
def test_a_record_that_a_page_leaves_out_is_missed(feed: str, record: str, page: str, running: Running) -> None:
    """The second reading shows an id that was not fetched: the run fails, and stores nothing."""
    running.served.faults.add({"kind": "hidden", "record": record, "contains": page})
    ended = running.run(feed)
    assert ended.result == "failed", feed
    assert "1 of" in ended.problem and "records in the period were not fetched" in ended.problem
    assert not running.place.files.published.exists()


def test_members_that_a_page_leaves_out_are_missed(running: Running) -> None:
    """The segment counts one more than came, and a second reading shows whom."""
    hidden = "01SANDBOX00000000000000001"
    running.served.faults.add({"kind": "hidden", "record": hidden, "contains": "/segments/SegAll/profiles", "times": 1})
    ended = running.run("segments", "segment_profiles")
    assert ended.result == "failed"
    assert "1 of 30 members were not fetched" in ended.problem
