"""courier status: how each group and courier stands, from the run history, so that it answers at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier import clock
from courier.cli.fleets import MOST_LISTED, summed_up
from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import duration, mark, print_json, say
from courier.cli.project import find_root, place_of
from courier.cli.table import print_table
from courier.clock import rfc3339
from courier.runtime.activation_states import activation_states
from courier.runtime.history import History, PastCourierRun
from courier.runtime.place import Place, is_group_running, is_running, one_session
from courier.runtime.scheduler.holding import BEAT_SECONDS, SchedulerState, scheduler_state

if TYPE_CHECKING:
    from courier.config.project import CourierGroup

GROUP = ["group", "state", "last run", "result", "next", "loaded up to", "lag"]
ACTIVATION = ["activation", "last run", "result", "credits", "items"]
COURIER = ["courier", "state", "last run", "result", "loaded up to", "lag"]


@click.command(short_help="How each group and courier stands.")
@project_option
@sandbox_option
@json_option
def status(root: Path | None, sandbox: bool, as_json: bool) -> None:
    """Show the last run of each group, courier and activation, when a group fires next, and how far behind they are.

    Loaded up to: the earliest watermark of the feeds; up to there everything is loaded without a gap.
    """
    from courier.config.glance import glance_at_couriers, glance_at_groups

    place = place_of(find_root(root), sandbox)
    history, now = History(place.history), clock.now()
    files = glance_at_couriers(place.root)
    with one_session(place) as connected:
        couriers = [courier_state(connected, history, name, now) for names in files.values() for name in names]
        activations = activation_states(connected, _activations(place))
    marks = {one["courier"]: one["loaded_up_to"] for one in couriers}
    groups = [group_state(place, history, group, marks, now) for group in glance_at_groups(place.root, files)]
    scheduler = scheduler_state(place)
    if as_json:
        told = {"scheduler": scheduler.as_json() if scheduler else None}
        print_json(
            {
                "version": 1,
                "sandbox": sandbox,
                **told,
                "groups": groups,
                "couriers": couriers,
                "activations": activations,
            }
        )
        return
    if groups:
        _table(GROUP, groups)
        click.echo()
    shown = told_shortly(files, {one["courier"]: one for one in couriers})
    _table(COURIER, shown)
    if activations:
        click.echo()
        _table(ACTIVATION, activations)
    for one in [*(one for one in groups if _is_its_own(one)), *shown]:
        _explain(one)
    say(_of_scheduler(scheduler, now, any(one["next"] for one in groups)))
    mark(sandbox)


def _activations(place: Place) -> list[str]:
    return sorted(path.stem for path in (place.root / "activations").glob("*.yaml"))


def told_shortly(files: Mapping[str, tuple[str, ...]], states: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The couriers' states; those of many stores in one, and beside it those that have not succeeded."""
    shown: list[dict[str, Any]] = []
    for name, couriers in files.items():
        own = [states[courier] for courier in couriers]
        if couriers == (name,):
            shown += own
            continue
        bad = [one for one in own if one["result"] != "succeeded"]
        shown += [summed_up(name, own), *bad[:MOST_LISTED]]
    return shown


def _is_its_own(group: dict[str, Any]) -> bool:
    """Whether what went wrong in a group is told nowhere else, as that of its couriers is."""
    return group["result"] == "blocked" or (group["problem"] or "").startswith("activation ")


def _of_scheduler(state: SchedulerState | None, now: datetime, wanted: bool) -> str:
    """Whether anybody is there to run what fires next."""
    if state is None:
        return "no scheduler runs" + (": courier schedule start" if wanted else "")
    silent = (now - state.beat).total_seconds()
    hangs = f"; it has not been heard of for {duration(silent)}" if silent > 4 * BEAT_SECONDS else ""
    return (
        f"a scheduler runs since {rfc3339(state.since)} (pid {state.pid}): "
        f"{state.running} runs under way, {state.waiting} waiting{hangs}"
    )


def _table(columns: list[str], states: Iterable[dict[str, Any]]) -> None:
    print_table(columns, [[_cell(one, name) for name in columns] for one in states])


def _cell(state: dict[str, Any], column: str) -> Any:
    if column == "lag":
        return None if state["lag_seconds"] is None else duration(state["lag_seconds"])
    if column == "items":
        return ", ".join(f"{count} {name}" for name, count in state["items"].items())
    return state[column.replace(" ", "_")]


def _explain(state: dict[str, Any]) -> None:
    """What went wrong, and what to type next."""
    name = state.get("courier") or state["group"]
    if "problem" not in state:
        return
    if state["problem"]:
        say(f"{name}: {state['problem']}")
    if state["problem"] and state["fix"]:
        say(f"  fix: {state['fix']}")
    for feed in state.get("metafields", ()):
        for one in feed["namespaces"]:
            if one["chosen"] and not one["stored"]:
                say(f"{name}: {feed['feed']}: no record in namespace `{one['namespace']}`")
    if state["result"] == "never run":
        say(f"{name} has never run here: courier run --courier {name}")
    if state["result"] in ("killed", "interrupted"):
        say(f"{name}: its next run goes on where this one stopped")


def group_state(
    place: Place, history: History, group: CourierGroup, marks: dict[str, str | None], now: datetime
) -> dict[str, Any]:
    """One group's line. `loaded_up_to` is the earliest of its couriers', None where one was never loaded."""
    last = history.last_group(group.name)
    running = is_group_running(place, group.name)
    killed = last is not None and last.result == "running" and not running
    loaded = [marks.get(courier.name) for courier in group.couriers]
    up_to = min((mark for mark in loaded if mark), default=None) if all(loaded) else None
    return {
        "group": group.name,
        "state": "running" if running else "idle" if group.enabled else "not enabled",
        "last_run": last.run if last else None,
        "scheduled": last.scheduled if last else None,
        "started": last.started if last else None,
        "result": "killed" if killed else last.result if last else "never run",
        "problem": last.problem if last else None,
        "fix": last.fix if last else None,
        "next": _next(group, now),
        "loaded_up_to": up_to,
        "lag_seconds": _lag(up_to, now),
    }


def _next(group: CourierGroup, now: datetime) -> str | None:
    """When its schedule fires next, whether a daemon is there to see it or not."""
    from courier.runtime.schedule import next_fire

    fire = next_fire(group, now) if group.enabled else None
    return rfc3339(fire) if fire else None


def _lag(loaded_up_to: str | None, now: datetime) -> float | None:
    return None if loaded_up_to is None else (now - datetime.fromisoformat(loaded_up_to)).total_seconds()


def courier_state(place: Place, history: History, name: str, now: datetime) -> dict[str, Any]:
    """One courier's line. `loaded_up_to` is the earliest watermark of its feeds."""
    last, good = history.last(name), history.last(name, "succeeded")
    running = is_running(place, name)
    killed = last is not None and last.result == "running" and not running
    up_to = loaded_up_to(history, good)
    return {
        "courier": name,
        "state": "running" if running else "idle",
        "last_run": last.run if last else None,
        "started": last.started if last else None,
        "result": "killed" if killed else last.result if last else "never run",
        "problem": last.problem if last else None,
        "fix": last.fix if last else None,
        "loaded_up_to": up_to,
        "lag_seconds": _lag(up_to, now),
        "metafields": metafields(good),
    }


def loaded_up_to(history: History, run: PastCourierRun | None) -> str | None:
    """The earliest watermark of the feeds that the courier had in this run; of those that were ever loaded."""
    feeds = {feed["feed"] for feed in (run.report or {}).get("feeds", [])} if run else set()
    marks = [mark for feed, mark in history.watermarks(run.courier).items() if feed in feeds] if run else []
    return min(marks, default=None, key=datetime.fromisoformat)


def metafields(run: PastCourierRun | None) -> list[dict[str, Any]]:
    """The feeds of metafields, with the namespaces that they keep and those that the source has besides."""
    feeds = (run.report or {}).get("feeds", []) if run else []
    return [{"feed": one["feed"], "namespaces": one["namespaces"]} for one in feeds if one.get("namespaces")]
