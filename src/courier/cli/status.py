"""courier status: how each courier stands, from the run history alone, so that it answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import print_json, print_table, say
from courier.cli.project import find_root
from courier.runtime.history import History, PastCourierRun
from courier.runtime.place import Place, is_running


@click.command()
@project_option
@sandbox_option
@json_option
def status(root: Path | None, sandbox: bool, as_json: bool) -> None:
    """Show each courier's last run, its last success, and up to when its feeds are loaded."""
    place = Place(find_root(root), sandbox)
    history = History(place.history)
    names = sorted(path.stem for path in (place.root / "couriers").glob("*.yaml"))
    states = [courier_state(place, history, name) for name in names]
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "couriers": states})
        return
    print_table(
        ["courier", "state", "last run", "result", "loaded up to"],
        [(one["courier"], one["state"], one["last_run"], one["result"], one["loaded_up_to"]) for one in states],
    )
    for one in states:
        if one["problem"]:
            say(f"{one['courier']}: {one['problem']}")
    if sandbox:
        say("(sandbox)")


def courier_state(place: Place, history: History, name: str) -> dict[str, Any]:
    """One courier's line. `loaded_up_to` is the earliest watermark of its feeds after the last success."""
    last, good = history.last(name), history.last(name, "succeeded")
    running = is_running(place, name)
    killed = last is not None and last.result == "running" and not running
    return {
        "courier": name,
        "state": "running" if running else "idle",
        "last_run": last.run if last else None,
        "started": last.started if last else None,
        "result": "killed" if killed else last.result if last else "never run",
        "problem": last.problem if last else None,
        "loaded_up_to": loaded_up_to(good),
    }


def loaded_up_to(run: PastCourierRun | None) -> str | None:
    feeds = (run.report or {}).get("feeds", []) if run else []
    marks = [feed["watermark"] for feed in feeds if feed.get("watermark")]
    return min(marks) if marks else None
