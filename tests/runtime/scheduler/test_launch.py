"""A real process for a run: its lock lives exactly as long as it, and its log says why it could not begin."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from courier.cli.init import write_project
from courier.runtime.place import Place
from courier.runtime.scheduler.launch import Alive, alive, last_problem, launch, log_of

S = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)


def test_a_run_is_known_by_its_lock_and_heard_by_its_log(tmp_path: Path) -> None:
    """`python -m courier run` of no group: while it lives no second one starts, then its lock is free."""
    write_project(tmp_path / "project")
    place = Place(tmp_path / "project", sandbox=True)
    first = launch(place, "nobody", S)
    assert first
    assert alive(place, "nobody") == Alive(first.process.pid, S)
    assert launch(place, "nobody", S) is None
    while alive(place, "nobody"):
        pass
    while first.process.poll() is None:  # a process that dies lets go of its lock first
        assert alive(place, "nobody") is None
    assert first.process.poll() == 2
    problem, _ = last_problem(place, "nobody", first.log_from)
    assert "nobody" in problem
    assert log_of(place, "nobody").stat().st_mode & 0o777 == 0o600
