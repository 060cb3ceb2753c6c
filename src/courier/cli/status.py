"""courier status: how each courier stands, from the run history alone, so that it answers at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import find_root
from courier.cli.table import print_table
from courier.runtime.history import History, PastCourierRun
from courier.runtime.place import Place, is_running


@click.command(short_help="How each courier stands.")
@project_option
@sandbox_option
@json_option
def status(root: Path | None, sandbox: bool, as_json: bool) -> None:
    """Show each courier's last run, and up to when its feeds are loaded since the last success."""
    place = Place(find_root(root), sandbox)
    history = History(place.history)
    names = sorted(path.stem for path in (place.root / "couriers").glob("*.yaml"))
    states = [courier_state(place, history, name) for name in names]
    if as_json:
        print_json({"version": 1, "sandbox": sandbox, "couriers": states})
        return
    columns = ["courier", "state", "last run", "result", "loaded up to"]
    print_table(columns, [[one[name.replace(" ", "_")] for name in columns] for one in states])
    for one in states:
        _explain(one)
    mark(sandbox)


def _explain(state: dict[str, Any]) -> None:
    """What went wrong, and what to type next."""
    if state["problem"]:
        say(f"{state['courier']}: {state['problem']}")
    if state["problem"] and state["fix"]:
        say(f"  fix: {state['fix']}")
    for feed in state["metafields"]:
        for one in feed["namespaces"]:
            if one["chosen"] and not one["stored"]:
                say(f"{state['courier']}: {feed['feed']}: no record in namespace `{one['namespace']}`")
    if state["result"] == "never run":
        say(f"{state['courier']} has never run here: courier run --courier {state['courier']}")
    if state["result"] in ("killed", "interrupted"):
        say(f"{state['courier']}: its next run goes on where this one stopped")


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
        "fix": last.fix if last else None,
        "loaded_up_to": loaded_up_to(good),
        "metafields": metafields(good),
    }


def loaded_up_to(run: PastCourierRun | None) -> str | None:
    feeds = (run.report or {}).get("feeds", []) if run else []
    marks = [feed["watermark"] for feed in feeds if feed.get("watermark")]
    return min(marks) if marks else None


def metafields(run: PastCourierRun | None) -> list[dict[str, Any]]:
    """The feeds of metafields, with the namespaces that they keep and those that the source has besides."""
    feeds = (run.report or {}).get("feeds", []) if run else []
    return [{"feed": one["feed"], "namespaces": one["namespaces"]} for one in feeds if one.get("namespaces")]
