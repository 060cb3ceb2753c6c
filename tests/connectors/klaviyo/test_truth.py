"""The shipped courier over a made-up account: every table is the truth's, first, after a change, and again."""

from __future__ import annotations

import shutil

from tests.connectors.klaviyo.running import Running


def test_all_tables_equal_the_truth(running: Running) -> None:
    """Law: 22 tables hold what the account's own books say; the second run changes nothing, a change all it should."""
    assert running.run().result == "succeeded"
    assert running.hashes() == running.truth()
    assert len(running.hashes()) == 22
    assert_texts_are_not_opened(running)
    assert running.query("SELECT count(*) FROM klaviyo.events WHERE datetime > now() + INTERVAL 1 YEAR") == [(0,)]

    running.next_day(orders=20)
    assert running.run().result == "succeeded"
    assert running.hashes() == running.truth()

    running.time.sleep(60)
    again = running.run()
    assert {feed.feed for feed in running.told("FeedCommitted")} >= {"events", "lists", "campaigns"}
    assert {skipped.reason.split(" than")[0] for skipped in running.told("FeedSkipped")} <= {"loaded less"}
    assert sum(feed.inserted + feed.updated + feed.deleted for feed in running.told("FeedCommitted")) == 0
    assert again.result == "succeeded"
    assert running.hashes() == running.truth()


def assert_texts_are_not_opened(running: Running) -> None:
    """What Klaviyo reports as 0 opens of a text message is no number at all."""
    rows = "SELECT send_channel, opens, open_rate FROM klaviyo.{}_values_report".format
    found = running.query(rows("flow")) + running.query(rows("campaign"))
    assert {channel for channel, *_ in found} == {"email", "sms", "push-notification"}
    assert {tuple(opened) for channel, *opened in found if channel == "sms"} == {(None, None)}
    assert all(row[1] is not None for row in found if row[0] == "email")


def test_changes_alone_are_read_of_what_is_loaded_by_periods(running: Running) -> None:
    """Profiles loaded by periods: the filter is strict, so that it begins a second early, and nothing is lost."""
    file = running.root / "couriers" / "klaviyo.yaml"
    text = file.read_text("utf-8").replace("profiles: { load: truncate, every: 24h }", "profiles:", 1)
    file.write_text(text, "utf-8")
    shutil.rmtree(running.root / "activations")  # one of them reads predictions
    table = running.root / "domain_tables" / "klaviyo" / "profiles.yaml"
    lines = table.read_text("utf-8").splitlines()
    table.write_text("\n".join(line for line in lines if "predictive_analytics__" not in line), "utf-8")
    assert running.run("profiles").result == "succeeded"
    running.next_day(orders=20)
    assert running.run("profiles").result == "succeeded"
    [committed] = running.told("FeedCommitted")
    assert 0 < committed.read < 30
    assert committed.period.until <= running.time.at
    of_profiles = "FROM klaviyo.profiles SELECT id, updated, last_name ORDER BY id"
    books = {row.id: (row.updated, row.last_name) for row in running.klaviyo.account.rows("profile")}
    assert {key: (int(at.timestamp()), name) for key, at, name in running.query(of_profiles)} == books


def test_a_wrong_value_and_a_new_field_are_told(running: Running) -> None:
    """One record in error is left out and its place kept, never its value; a field that no column names is noticed."""
    page = "sort=id&fields"
    running.served.faults.add(
        {"kind": "bad_value", "field": "created", "value": "yesterday", "contains": page},
        {"kind": "bad_value", "field": "shoe_size", "value": 43, "contains": "/api/templates?page%5Bsize%5D=10"},
    )
    assert running.run("profiles", "templates").result == "succeeded"
    errors = running.query("SELECT feed, column_name, reason FROM courier.record_error")
    assert errors == [("profiles", "created", "is not an instant (RFC 3339)")]
    assert running.query("SELECT count(*) FROM klaviyo.profiles") == [(29,)]
    assert "no column names Template.attributes.shoe_size" in running.notes
    assert "yesterday" not in str(running.events)
