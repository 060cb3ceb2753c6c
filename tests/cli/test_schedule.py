"""What `courier schedule` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.process import courier

FROM = ("--from", "2026-03-07T00:00:00Z")


@pytest.fixture
def three(project: Path) -> Path:
    """A group on schedule whose time is skipped once, one that is not enabled, and one that only people start."""
    (project / "courier_groups.yaml").write_text(
        "nightly:\n"
        '  schedule: "30 2 * * *"\n'
        "  timezone: America/New_York\n"
        "  couriers:\n"
        "    shopify: { offset: 24h }\n"
        "resting:\n"
        '  schedule: "0 * * * *"\n'
        "  enabled: false\n"
        "  couriers:\n"
        "    shopify: { offset: 24h }\n"
        "sometimes:\n"
        "  couriers:\n"
        "    shopify:\n"
    )
    return project


def test_the_next_fires_of_all_groups(three: Path) -> None:
    """In order of time on stdout; schedules in words and warnings on stderr, each once."""
    done = courier(three, "schedule", *FROM, "--next", "2")
    assert done.code == 0
    head, _, *rows = [line.rstrip() for line in done.out.splitlines()]
    assert head.split("  ")[0] == "fires at"
    assert [(row.split()[0], row.split()[4]) for row in rows] == [
        ("2026-03-07T01:00:00Z", "resting"),
        ("2026-03-07T02:00:00Z", "resting"),
        ("2026-03-07T07:30:00Z", "nightly"),
        ("2026-03-08T07:00:00Z", "nightly"),
    ]
    assert "2026-03-08 03:00 America/New_York" in rows[3]
    assert [re.split("  +", row)[4:] for row in rows[2:]] == [
        ["[the beginning, 2026-03-07T07:30:00Z)", "[the beginning, now)"],
        ["[2026-03-07T07:30:00Z, 2026-03-08T07:00:00Z)", "[2026-03-06T07:30:00Z, 2026-03-08T07:00:00Z)"],
    ]
    assert done.err.splitlines() == [
        "nightly: At 02:30, America/New_York",
        "resting: Every hour, UTC (not enabled)",
        "sometimes: runs only by hand: courier run --group sometimes",
        "resting: the group is not enabled: it does not fire",
        "resting: the offset of 24 hours is 24 times the time to the next fire: read again each time",
        "nightly at 2026-03-08T07:00:00Z: 02:30 does not exist on 2026-03-08: fires at 03:00",
    ]


def test_the_next_fires_as_json(three: Path) -> None:
    """One group alone, with what scripts rely on, and each feed's own times."""
    body = courier(three, "schedule", *FROM, "--next", "2", "--group", "nightly", "--sandbox", "--json").body
    assert (body["version"], body["sandbox"]) == (1, True)
    assert [one["group"] for one in body["groups"]] == ["nightly"]
    feeds = [one.pop("feeds") for one in body["fires"]]
    assert body["fires"][1] == {
        "group": "nightly",
        "courier": "shopify",
        "fires_at": "2026-03-08T07:00:00Z",
        "local": "2026-03-08T03:00:00-04:00",
        "timezone": "America/New_York",
        "period": {"since": "2026-03-07T07:30:00Z", "until": "2026-03-08T07:00:00Z"},
        "request": {"since": "2026-03-06T07:30:00Z", "until": "2026-03-08T07:00:00Z"},
        "warning": "02:30 does not exist on 2026-03-08: fires at 03:00",
    }
    assert {"feed", "period", "request", "skipped"} == set(feeds[1][0])
    assert {one["feed"]: one["request"]["since"] for one in feeds[1]}["locations"] is None


def test_the_first_period_begins_where_the_tables_are_loaded_up_to(loaded: Path) -> None:
    """What `run` reported as the watermark."""
    couriers = courier(loaded, "status", "--sandbox", "--json").body["couriers"]
    (watermark,) = (one["loaded_up_to"] for one in couriers if one["courier"] == "shopify")
    body = courier(loaded, "schedule", "--next", "2", "--sandbox", "--json").body
    first, second = body["fires"]
    assert first["period"] == {"since": watermark, "until": first["fires_at"]}
    assert second["period"] == {"since": first["fires_at"], "until": second["fires_at"]}


def test_a_wrong_command_line_ends_with_2(project: Path) -> None:
    for words, said in (
        ("--next 0", "0 is not in the range"),
        ("--from tomorrow", "neither a date nor an instant"),
        ("--from 9999-12-31", "outside of the years"),
        ("--group nightly", "there is no group 'nightly'"),
        ("strat", "no such command 'strat'"),
    ):
        done = courier(project, "schedule", *words.split())
        assert (done.code, done.out) == (2, ""), words
        assert said in done.err, words
