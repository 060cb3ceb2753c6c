"""Whole runs over a Klaviyo account, as processes of their own."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.runs.hurried import KLAVIYO, Hurried, trying

FEEDS = ("profiles", "lists", "list_profiles", "events", "campaigns", "campaign_messages")
STRUCK: dict[str, dict[str, Any]] = {
    "before the first members are written": {"file": "List.profiles-00001", "nth": 1},
    "before the commit": {"event": {"event": "Committing"}, "nth": 1},
}


@pytest.mark.parametrize("moment", STRUCK)
def test_a_killed_run_ends_like_an_undisturbed_one(moment: str, hurry: Hurried, tmp_path: Path) -> None:
    """The next run goes on where the killed one was: what was fetched is not asked for again."""
    with trying(tmp_path, hurry, FEEDS, source=KLAVIYO) as tried:
        killed = tried.run(STRUCK[moment])
        assert killed.code == -signal.SIGKILL
        log = tried.served.klaviyo.log
        asked = len(log)
        after = tried.run()
        assert (after.code, tried.is_true) == (0, True), after.err
        pages = [one for one in log[asked:] if "predictive" in one["query"] and "sort=id" in one["query"]]
        assert len(pages) == 1  # those of its own period; the killed run's lay on disk
