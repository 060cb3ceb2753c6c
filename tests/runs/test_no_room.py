"""A disk without room, as a limit on the size of files shows it: a run fails without losing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.storage.room import lacks_room
from tests.runs.hurried import Hurried, trying

# What does not fit: the history, the raw records, the warehouse.
STAGES = {"begin": 20_000, "fetch": 100_000, "commit": 1_000_000}


@pytest.mark.parametrize("stage", STAGES)
def test_without_room_a_run_fails_and_the_next_one_goes_on(stage: str, hurry: Hurried, tmp_path: Path) -> None:
    """Exit 1 and a message without a trace; once there is room, the next run ends with the truth."""
    with trying(tmp_path, hurry, ("order", "order_line")) as tried:
        failed = tried.run({"bytes": STAGES[stage]})
        assert (failed.code, tried.hashes) == (1, None)
        assert "no room" in failed.problem["message"] and "goes on where it stopped" in failed.problem["fix"]
        assert bool(failed.named("Fetched")) == (stage != "begin")
        assert bool(failed.named("RunCommitted")) == (stage == "commit")
        after = tried.run()
        assert (after.code, tried.is_true) == (0, True)
        assert after.named("RunStarted")[0]["recovered"] == (stage == "fetch")


@pytest.mark.parametrize("hidden", [False, True])
def test_an_error_of_another_kind_is_not_taken_for_it(hidden: bool) -> None:
    """What caused an error counts too, since others wrap theirs; a file that may not be read is no full disk."""
    for number, full in ((28, True), (13, False)):
        error: BaseException = OSError(number, "made up")
        if hidden:
            wrapped = ValueError()
            wrapped.__cause__ = error
            error = wrapped
        assert lacks_room(error) is full
