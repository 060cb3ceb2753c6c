"""Many small stores of one courier: all loaded for the first time, and once more when nothing has changed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.report import Options, Report, Table, say
from benchmarks.sandbox_server import Shop, serve

SUMMARY = "one courier with many small stores, on this machine: the first load, and a run without news"
ORDERS = 60
STORES = 200
PATIENCE = 4 * 3600.0
NOTES = (
    "each store has 20 customers and 60 orders, 13 tables in a schema of its own, an identity, a token and a rate "
    "limit of its own; one sandbox process serves all of them, and its seconds are not counted.",
    "CPU seconds are those of the one `courier run --group shopify` process: eight couriers at once, their commits one "
    "after another, and what is published now and then.",
    "wrong tables: those whose hash is not what the store's own books say, over all stores.",
)


def run(options: Options) -> Report:
    assert options.stores is not None
    project = options.work / "project"
    with serve(options.work / "shop", ORDERS, customers=20, products=8, special=False, stores=options.stores) as shop:
        _make(project, shop)
        first = _run(project, options.work / "first.log")
        again = _run(project, options.work / "again.log")
        wrong = _wrong(project, shop, options.work)
    size = (project / "warehouse.duckdb").stat().st_size
    figures = {
        "stores": options.stores,
        "stores_per_minute": round(options.stores * 60 / first.wall, 1),
        "cpu_seconds_per_store": round(first.cpu / options.stores, 2),
        "stores_per_minute_without_news": round(options.stores * 60 / again.wall, 1),
        "cpu_seconds_per_store_without_news": round(again.cpu / options.stores, 2),
        "peak_rss_mb": max(first.peak_mb, again.peak_mb),
        "file_mb": round(size / 1e6),
        "commit_seconds_of_the_last": _commits(options.work / "first.out")[-1],
        "wrong_tables": wrong,
    }
    rows = [_row(*one, options.stores) for one in (("first load", first), ("nothing changed", again))]
    columns = ("run", "stores a minute", "CPU s a store", "CPU s", "wall s", "peak RSS MB")
    told = (
        f"{options.stores:,} stores are {options.stores * 13:,} tables in a file of {figures['file_mb']} MB; the last "
        f"one's commit took {figures['commit_seconds_of_the_last']} s; {len(wrong)} tables were wrong."
    )
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), (*NOTES, told))


def _row(name: str, used: Usage, stores: int) -> tuple[str, float, float, float, float, int]:
    return name, round(stores * 60 / used.wall, 1), used.cpu / stores, used.cpu, used.wall, used.peak_mb


def _make(root: Path, shop: Shop) -> None:
    """The starter project with a list of stores, and their tokens in .env."""
    from courier.cli.init import write_project

    write_project(root)
    courier = root / "couriers" / "shopify.yaml"
    text = courier.read_text("utf-8")
    text, found = re.subn(r"(?m)^credential:\n(  .*\n)+", f"endpoint: {shop.url}\nstores: shopify.csv\n", text, count=1)
    assert found, f"{courier} has no credential"
    courier.write_text(text, "utf-8")
    names = {name.removeprefix("shopify_"): opened for name, opened in shop.stores.items()}
    lines = [f"{name},{opened['store']}" for name, opened in names.items()]
    (root / "couriers" / "shopify.csv").write_text("\n".join(["name,store", *lines, ""]), "utf-8")
    secrets = [f"SHOPIFY_ACCESS_TOKEN_{name.upper()}={opened['access_token']}" for name, opened in names.items()]
    (root / ".env").write_text("\n".join([*secrets, ""]), "utf-8")


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


def _wrong(project: Path, shop: Shop, work: Path) -> list[str]:
    say("comparing hashes")
    command = [*courier_command(), "tables", "--hash", "--json"]
    used = measured(command, log=work / "tables.log", cwd=project, env=dict(os.environ), timeout=PATIENCE)
    assert used.exit_code == 0, (work / "tables.log").read_text("utf-8")
    held = {one["table"]: one["hash"] for one in json.loads((work / "tables.out").read_text("utf-8"))["tables"]}
    wanted = {f"{name}.{table}": one["hash"] for name in shop.stores for table, one in shop.truth(name).items()}
    return sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
