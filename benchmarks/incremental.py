"""After the first load: nothing changed, one order in a hundred changed, and those read once more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.backfill import PATIENCE, load
from benchmarks.measure import Usage, courier_command, pace
from benchmarks.measure import run as measured
from benchmarks.project import point
from benchmarks.report import Cell, Options, Report, Table, say
from benchmarks.sandbox_server import DAYS, Shop, serve

SUMMARY = "a run after nothing changed, after 1% of the orders did, and once more"
ORDERS = 20_000
ROUNDS = 3
GOES_ON = True
NOTES = (
    "CPU seconds are those of the whole `courier run` process, from its start to its end.",
    "closed: how long the private database was held against other writers, from the landing of the rows until the new "
    "file is published. Readers of the published file are never kept waiting.",
    "the change is the shop's own: edited and new orders, customers with new totals, products and deletes. Nothing "
    f"else happened in the shop's last {DAYS} days.",
    "nothing changed, 1% changed: the least of some rounds, each from the same state: what the machine's other work "
    "adds is not courier's.",
    "loops: CPU seconds in those of a plain Python loop of ten million additions, run just before and after: where "
    "other machines share the cores, a second is not always worth the same.",
    "the same again: the run after that, which reaches back a day, reads everything that changed once more, and finds "
    "that it has it.",
)


def run(options: Options) -> Report:
    project = options.work / "project"
    with serve(options.work / "shop", options.orders, days=DAYS) as shop:
        first = _loaded(project, shop, options.work)
        environment = point(project, shop)
        # The files name another port now. Runs of a schedule find them unchanged, and known to be good.
        known = [*courier_command(), "plan", "--group", "shopify"]
        measured(known, log=options.work / "plan.log", cwd=project, env=environment)
        rounds = options.rounds or ROUNDS
        nothing = _leanest([_again(project, environment, options.work / "nothing.log") for _ in range(rounds)])
        say(f"changing {options.orders // 100:,} orders")
        told = shop.change(options.orders // 100)
        changed = _least(project, environment, options.work, rounds)
        same = _again(project, environment, options.work / "same.log")
    result = json.loads((options.work / "changed.out").read_text("utf-8"))
    expected = {one["table"].removeprefix("shopify."): one for one in told}
    figures = {
        "change_cpu_seconds": round(changed.usage.cpu, 2),
        "change_loops": round(changed.loops, 2),
        "loop_cpu_seconds": round(changed.loop, 3),
        "nothing_cpu_seconds": round(nothing.usage.cpu, 2),
        "same_cpu_seconds": round(same.usage.cpu, 2),
        "first_cpu_seconds": round(first.cpu, 2) if first else None,
        "closed_seconds": _closed(options.work / "changed.log"),
        "unequal_feeds": _unequal(result, expected),
        "changed_rows": _changed_rows(result),
        "peak_rss_mb": changed.usage.peak_mb,
    }
    ways = {"nothing changed": nothing, "1% changed": changed, "the same again": same}
    rows: list[tuple[Cell, ...]] = [("first load", *_row(first), None)] if first else []
    rows += [(name, *_row(paced.usage), paced.loops) for name, paced in ways.items()]
    columns = ("run", "CPU s", "wall s", "peak RSS MB", "loops")
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), (*NOTES, _told(options.orders, figures)))


@dataclass(frozen=True)
class Paced:
    """What a run used, and the CPU seconds of a plain loop beside it."""

    usage: Usage
    loop: float

    @property
    def loops(self) -> float:
        return self.usage.cpu / self.loop


def _row(used: Usage) -> tuple[float, float, int]:
    return used.cpu, used.wall, used.peak_mb


def _loaded(project: Path, shop: Shop, work: Path) -> Usage | None:
    """Bring project and shop to where the first load left them; what it used, if it was made now.

    A backfill's folder is gone on with as it is found; one of this benchmark is put back to how it was.
    """
    kept = work / "loaded"
    if kept.exists():
        say("going back to the first load")
        shop.reset()
        shutil.rmtree(project)
        shutil.copytree(kept, project)
        return None
    first = None if (project / "warehouse.duckdb").exists() else load(project, shop, work / "first.log")
    shutil.copytree(project, kept, ignore=shutil.ignore_patterns("runs"))
    return first


def _told(orders: int, figures: dict[str, Any]) -> str:
    right = f"not as the shop says: {', '.join(figures['unequal_feeds'])}" if figures["unequal_feeds"] else "as it says"
    return (
        f"at {orders:,} orders, the 1% run changed {figures['changed_rows']:,} rows, per table {right}, and kept the "
        f"database closed for {figures['closed_seconds']} s"
    )


def _least(project: Path, environment: dict[str, str], work: Path, rounds: int) -> Paced:
    """The run that meets the change, as often as asked for, each time from the same state; the one that used least."""
    before = work / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(project, before)
    found = []
    for number in range(rounds):
        if number:
            shutil.rmtree(project)
            shutil.copytree(before, project)
        found.append(_again(project, environment, work / "changed.log"))
    shutil.rmtree(before)
    return _leanest(found)


def _leanest(rounds: Sequence[Paced]) -> Paced:
    return min(rounds, key=lambda paced: paced.usage.cpu)


def _again(project: Path, environment: dict[str, str], log: Path) -> Paced:
    say(f"courier run: {log.stem}")
    command = [*courier_command(), "run", "--group", "shopify", "--json"]
    before = pace()
    usage = measured(command, log=log, cwd=project, env=environment, timeout=PATIENCE)
    if usage.exit_code != 0:
        raise RuntimeError(f"ended with {usage.exit_code}: {log.read_text('utf-8')[-2000:]}")
    return Paced(usage, (before + pace()) / 2)


def _closed(log: Path) -> float:
    """Seconds from the landing to the publishing, by the run's own events."""
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    at = {event["event"]: datetime.fromisoformat(event["at"]) for event in events if "at" in event}
    return round((at["RunPublished"] - at["RunLanded"]).total_seconds(), 2)


def _changed_rows(result: dict[str, Any]) -> int:
    feeds = [feed for courier in result["couriers"] for feed in courier["feeds"]]
    return sum(feed[kind] for feed in feeds for kind in ("inserted", "updated", "deleted"))


def _unequal(result: dict[str, Any], expected: dict[str, dict[str, Any]]) -> list[str]:
    """Feeds whose counters are not what the shop says the change did."""
    feeds = {feed["feed"]: feed for courier in result["couriers"] for feed in courier["feeds"]}
    kinds = ("inserted", "updated", "deleted")
    return sorted(name for name, feed in feeds.items() if any(feed[kind] != expected[name][kind] for kind in kinds))
