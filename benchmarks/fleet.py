"""Many small stores of one courier: all loaded for the first time, and once more when nothing has changed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from benchmarks.fleet_project import GIVEN, ORDERS, PATIENCE, make, wrong_tables
from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.report import EMBEDDED, Options, Report, Table, say
from benchmarks.sandbox_server import serve

SUMMARY = "one courier with many small stores, on this machine: the first load, and a run without news"
STORES = 200
ENGINES = (EMBEDDED, "dagster")
NOTES = (
    *GIVEN,
    "CPU seconds are those of the one `courier run --group shopify` process: eight couriers at once, their commits one "
    "after another, and what is published now and then.",
)


def run(options: Options) -> Report:
    assert options.stores is not None
    if options.engine != EMBEDDED:
        from benchmarks import fleet_on_dagster

        return fleet_on_dagster.run(options)
    return _embedded(options, options.stores)


def _embedded(options: Options, stores: int) -> Report:
    project = options.work / "project"
    with serve(options.work / "shop", ORDERS, customers=20, products=8, special=False, stores=stores) as shop:
        make(project, shop)
        first = _run(project, options.work / "first.log")
        again = _run(project, options.work / "again.log")
        wrong = wrong_tables(project, shop, options.work)
    size = (project / "warehouse.duckdb").stat().st_size
    figures = {
        "stores": stores,
        "stores_per_minute": round(stores * 60 / first.wall, 1),
        "cpu_seconds_per_store": round(first.cpu / stores, 2),
        "stores_per_minute_without_news": round(stores * 60 / again.wall, 1),
        "cpu_seconds_per_store_without_news": round(again.cpu / stores, 2),
        "peak_rss_mb": max(first.peak_mb, again.peak_mb),
        "file_mb": round(size / 1e6),
        "commit_seconds_of_the_last": _commits(options.work / "first.out")[-1],
        "wrong_tables": wrong,
    }
    rows = [_row(*one, stores) for one in (("first load", first), ("nothing changed", again))]
    columns = ("run", "stores a minute", "CPU s a store", "CPU s", "wall s", "peak RSS MB")
    told = (
        f"{stores:,} stores are {stores * 13:,} tables in a file of {figures['file_mb']} MB; the last "
        f"one's commit took {figures['commit_seconds_of_the_last']} s; {len(wrong)} tables were wrong."
    )
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), (*NOTES, told))


def _row(name: str, used: Usage, stores: int) -> tuple[str, float, float, float, float, int]:
    return name, round(stores * 60 / used.wall, 1), used.cpu / stores, used.cpu, used.wall, used.peak_mb


def _run(project: Path, log: Path) -> Usage:
    say(f"courier run --group shopify: {log.stem}")
    command = [*courier_command(), "run", "--group", "shopify", "--json", "--quiet"]
    used = measured(command, log=log, cwd=project, env=dict(os.environ), timeout=PATIENCE)
    if used.exit_code != 0:
        raise RuntimeError(f"ended with {used.exit_code}: {log.read_text('utf-8')[-2000:]}")
    return used


def _commits(output: Path) -> list[float]:
    """Seconds that each store's commit took, in the order in which they were asked for."""
    couriers: list[dict[str, Any]] = json.loads(output.read_text("utf-8"))["couriers"]
    return [round(one["seconds"]["commit"], 2) for one in couriers]
