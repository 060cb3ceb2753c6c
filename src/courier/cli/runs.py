"""courier runs: the run history; with a run's name, everything that happened in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import mark, print_json, say
from courier.cli.project import find_root
from courier.cli.table import number, print_table
from courier.errors import UsageError
from courier.runtime.history import History, PastCourierRun
from courier.runtime.place import Place

COUNTERS = ["read", "inserted", "updated", "unchanged", "rejected", "errors", "deleted"]


@click.command(short_help="The latest runs, or all about one RUN.")
@click.argument("run", required=False)
@click.option("--courier", metavar="NAME", help="Only this courier's runs.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@project_option
@sandbox_option
@json_option
def runs(run: str | None, courier: str | None, limit: int, root: Path | None, sandbox: bool, as_json: bool) -> None:
    """List the latest runs, newest first, or show one RUN with its feeds and events."""
    history = History(Place(find_root(root), sandbox).history)
    if run is not None:
        _show_one(history, run, sandbox, as_json)
    elif as_json:
        past = history.runs(courier, limit)
        print_json({"version": 1, "sandbox": sandbox, "runs": [asdict(one) for one in past]})
    else:
        _list(history.runs(courier, limit))
        mark(sandbox)


def _list(past: list[PastCourierRun]) -> None:
    print_table(
        ["run", "group", "started", "result", "read", "changed"],
        [
            (one.run, one.group, _second(one.started), one.result, number(_total(one, "read")), number(_changed(one)))
            for one in past
        ],
        right=["read", "changed"],
    )
    say(f"courier runs {past[0].run} shows the latest" if past else "nothing has run here yet")


def _show_one(history: History, run: str, sandbox: bool, as_json: bool) -> None:
    found = history.find(run)
    if found is None:
        raise UsageError(f"there is no run {run!r}", fix=f"courier runs{' --sandbox' if sandbox else ''} lists them")
    if as_json:
        body = {"version": 1, "sandbox": sandbox, "run": asdict(found), "events": history.events(run)}
        print_json(body)
        return
    ended = _second(found.ended) if found.ended else "-"
    say(f"{found.run}: {found.result}, started {_second(found.started)}, ended {ended}")
    if found.problem:
        say(f"  {found.problem}" + (f"\n  fix: {found.fix}" if found.fix else ""))
    feeds = (found.report or {}).get("feeds", [])
    rows = [[feed["feed"], *(number(feed[name]) for name in COUNTERS), feed["watermark"]] for feed in feeds]
    print_table(["feed", *COUNTERS, "watermark"], rows, right=COUNTERS)
    mark(sandbox)


def _second(instant: str) -> str:
    """The history's instants have microseconds; a person needs seconds."""
    return instant[:19] + "Z"


def _total(run: PastCourierRun, counter: str) -> int | None:
    feeds = (run.report or {}).get("feeds")
    return sum(feed[counter] for feed in feeds) if feeds else None


def _changed(run: PastCourierRun) -> int | None:
    counts = [_total(run, counter) for counter in ("inserted", "updated", "deleted")]
    return sum(count or 0 for count in counts) if counts[0] is not None else None
