"""courier runs: the run history; with a run's name, everything that happened in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from courier.cli.options import json_option, project_option, sandbox_option
from courier.cli.output import print_json, print_table, say
from courier.cli.project import find_root
from courier.errors import UsageError
from courier.runtime.history import History, PastCourierRun
from courier.runtime.place import Place


@click.command()
@click.argument("run", required=False)
@click.option("--courier", help="Only this courier's runs.")
@click.option("--limit", default=20, show_default=True, help="How many.")
@project_option
@sandbox_option
@json_option
def runs(run: str | None, courier: str | None, limit: int, root: Path | None, sandbox: bool, as_json: bool) -> None:
    """List the latest runs, or show one RUN."""
    history = History(Place(find_root(root), sandbox).history)
    if run is not None:
        _show_one(history, run, as_json)
        return
    past = history.runs(courier, limit)
    if as_json:
        print_json({"version": 1, "runs": [asdict(one) for one in past]})
        return
    print_table(
        ["run", "group", "started", "result", "read", "changed"],
        [(one.run, one.group, one.started, one.result, _total(one, "read"), _changed(one)) for one in past],
        right=["read", "changed"],
    )


def _show_one(history: History, run: str, as_json: bool) -> None:
    found = history.find(run)
    if found is None:
        raise UsageError(f"there is no run {run!r}", fix="courier runs lists them")
    events = history.events(run)
    if as_json:
        print_json({"version": 1, "run": asdict(found), "events": events})
        return
    say(f"{found.run}: {found.result}, started {found.started}, ended {found.ended or '-'}")
    if found.problem:
        say(f"  {found.problem}" + (f"\n  fix: {found.fix}" if found.fix else ""))
    columns = ["feed", "read", "inserted", "updated", "unchanged", "rejected", "errors", "deleted", "watermark"]
    feeds = (found.report or {}).get("feeds", [])
    print_table(columns, [[feed[name] for name in columns] for feed in feeds], right=columns[1:-1])


def _total(run: PastCourierRun, counter: str) -> int | None:
    feeds = (run.report or {}).get("feeds")
    return sum(feed[counter] for feed in feeds) if feeds else None


def _changed(run: PastCourierRun) -> int | None:
    counts = [_total(run, counter) for counter in ("inserted", "updated", "deleted")]
    return sum(count or 0 for count in counts) if counts[0] is not None else None
