"""The run history's file: of an earlier courier, and what it answers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import orjson

from courier.runtime.history import History

# What state.db held before it had a version.
FIRST = """
CREATE TABLE run (
    run TEXT PRIMARY KEY, courier TEXT NOT NULL, "group" TEXT, scheduled TEXT NOT NULL, started TEXT NOT NULL,
    ended TEXT, result TEXT NOT NULL, problem TEXT, fix TEXT, report TEXT
);
CREATE TABLE event (run TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX event_run ON event (run);
"""
AT = "2026-11-20T06:30:00Z"


def report(**watermarks: str | None) -> dict[str, object]:
    return {"courier": "shopify", "feeds": [{"feed": feed, "watermark": mark} for feed, mark in watermarks.items()]}


def test_a_file_of_an_earlier_courier_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its runs stay, its reports tell up to where feeds are loaded, and runs of groups can be added."""
    path = tmp_path / "state.db"
    earlier: list[tuple[str, dict[str, str | None]]] = [
        ("succeeded", {"order": AT, "customer": "2026-11-19T06:30:00Z"}),
        ("succeeded", {"order": "later"}),
        ("failed", {"order": None}),
    ]
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST)
        for number, (result, marks) in enumerate(earlier):
            ended = f"2026-11-2{number}T07:00:00Z"
            values = (f"r{number}", "shopify", "shopify", AT, AT, ended, result, orjson.dumps(report(**marks)).decode())
            connection.execute("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)", values)
    connection.close()
    history = History(path)
    assert [run.run for run in history.runs()] == ["r2", "r1", "r0"]
    assert history.watermarks("shopify") == {"order": "later", "customer": "2026-11-19T06:30:00Z"}
    assert history.group_runs() == []
    history.begin_group("g", "shopify", AT, "hand", AT, "")
    history.begin("r3", "shopify", "shopify", AT, AT, "g")
    history.end("r3", AT, "succeeded", "", "", report(order="latest", customer=None))
    assert [run.run for run in history.couriers_of("g")] == ["r3"]
    assert History(path).watermarks("shopify")["order"] == "latest"
    assert History(path).watermarks("shopify")["customer"] == "2026-11-19T06:30:00Z"


def test_a_retry_has_the_couriers_of_the_run_that_it_goes_on_with(tmp_path: Path) -> None:
    """A courier's run that is taken up moves to the retry; one that had committed stays where it was."""
    history = History(tmp_path / "state.db")
    for run, retry_of in (("first", None), ("second", "first"), ("third", "second")):
        history.begin_group(run, "stores", AT, "retry", AT, "", retry_of=retry_of)
    for run, group_run in (("uk", "first"), ("us", "first"), ("us", "second"), ("us-anew", "third")):
        history.begin(run, run[:2], "stores", AT, AT, group_run)
    third = history.find_group("third")
    assert third is not None
    assert {courier: one.run for courier, one in history.members_of(third).items()} == {"uk": "uk", "us": "us-anew"}
    assert [one.run for one in history.couriers_of("first")] == ["uk"]
