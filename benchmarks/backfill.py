"""A store's first load, in bulk: beside DuckDB alone, and beside plain dlt."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.limit import TABLES
from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.project import make_project
from benchmarks.report import Options, Report, Table, say
from benchmarks.sandbox_server import DAYS, Shop, serve

SUMMARY = "N orders in bulk into thirteen tables, against a DuckDB-only script and plain dlt"
ORDERS = 20_000
GOES_ON = True
PLAIN_ORDERS = 100_000  # plain dlt takes two CPU minutes for so many
PATIENCE = 3_600.0
FILES = {"Order": "orders.jsonl", "Customer": "customers.jsonl", "Product": "products.jsonl"}
NOTES = (
    "courier: the whole process of `courier run`: start, checks, operations, download, shaping, landing, commit, "
    "ledger, publish; refunds by pages. The shop is another process, and not counted.",
    "limit: a script that reads the same files from disk with DuckDB and ends with the same thirteen tables "
    "(benchmarks/limit.py). It proves nothing and keeps no versions. Every table is hash-equal to courier's.",
    "plain dlt: the same files as nested dicts, parquet, two workers (benchmarks/plain_dlt.py), measured at no more "
    f"than {PLAIN_ORDERS:,} orders. `--only limit` leaves it out.",
)


@dataclass(frozen=True)
class Measured:
    """One size of shop, loaded each way."""

    orders: int
    rows: int
    courier: Usage
    limit: Usage
    plain: Usage | None
    unequal: tuple[str, ...]

    @property
    def ratio_to_limit(self) -> float:
        return self.courier.cpu / self.limit.cpu

    @property
    def ratio_to_plain_dlt(self) -> float | None:
        return self.plain.cpu / self.courier.cpu if self.plain else None


def run(options: Options) -> Report:
    wanted = not options.only or "plain" in options.only
    big = measure(options.work / "big", options.orders, plain=wanted and options.orders <= PLAIN_ORDERS)
    small = measure(options.work / "small", PLAIN_ORDERS, plain=True) if wanted and not big.plain else big
    figures = {
        "ratio_to_limit": round(big.ratio_to_limit, 3),
        "ratio_to_plain_dlt": small.ratio_to_plain_dlt and round(small.ratio_to_plain_dlt, 2),
        "plain_dlt_orders": small.orders if small.plain else None,
        "peak_rss_mb": round(big.courier.peak_mb),
        "cpu_seconds": round(big.courier.cpu, 1),
        "rows": big.rows,
        "unequal_tables": [*big.unequal, *small.unequal],
    }
    columns = ("orders", "rows", "pipeline", "CPU s", "wall s", "peak RSS MB", "CPU, courier = 1")
    rows = [row for one in dict.fromkeys((big, small)) for row in _rows(one)]
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), NOTES)


def _rows(one: Measured) -> list[tuple[str | int | float | None, ...]]:
    ways = {"courier": one.courier, "limit: DuckDB alone": one.limit, "plain dlt": one.plain}
    return [
        (one.orders, one.rows, name, used.cpu, used.wall, round(used.peak_mb), used.cpu / one.courier.cpu)
        for name, used in ways.items()
        if used
    ]


def measure(work: Path, orders: int, *, plain: bool) -> Measured:
    """Load a shop of so many orders with courier, then the same files with DuckDB alone and, maybe, plain dlt."""
    work.mkdir(parents=True, exist_ok=True)
    clear(work)
    project = work / "project"
    with serve(work / "shop", orders, days=DAYS) as shop:
        shop.reset()
        courier = load(project, shop, work / "courier.log")
        given = gather(shop, project, work / "given")
    limit = python("benchmarks.limit", work, str(given), str(work / "limit.duckdb"))
    sizes, unequal = compared(project / "warehouse.duckdb", work / "limit.duckdb")
    dlt = python("benchmarks.plain_dlt", work, str(given), str(work / "plain.duckdb"), str(orders)) if plain else None
    return Measured(orders, sum(sizes.values()), courier, limit, dlt, unequal)


def clear(work: Path) -> None:
    """Leave nothing of an earlier run but its shop, which takes minutes to make and to write into bulk files."""
    for old in work.iterdir():
        if old.is_dir() and old.name != "shop":
            shutil.rmtree(old)
        elif old.is_file():
            old.unlink()


def load(project: Path, shop: Shop, log: Path) -> Usage:
    """`courier run` in a new project. Raises RuntimeError where it fails."""
    environment = make_project(project, shop, in_bulk=True)
    say("courier run --group shopify")
    return _done(
        measured(
            [*courier_command(), "run", "--group", "shopify", "--json"],
            log=log,
            cwd=project,
            env=environment,
            timeout=PATIENCE,
        ),
        log,
    )


def python(module: str, work: Path, *arguments: str) -> Usage:
    say(f"python -m {module}")
    log = work / f"{module}.log"
    command = [sys.executable, "-m", module, *arguments]
    return _done(measured(command, log=log, cwd=Path(__file__).parents[1], timeout=PATIENCE), log)


def _done(usage: Usage, log: Path) -> Usage:
    if usage.exit_code != 0:
        raise RuntimeError(f"ended with {usage.exit_code}: {log.read_text('utf-8')[-2000:]}")
    return usage


def gather(shop: Shop, project: Path, given: Path) -> Path:
    """A folder of links to what courier was sent: the shop's bulk files, and the run's pages."""
    given.mkdir(exist_ok=True)
    # What was sent last is newest: a shop that was served before has files of then, too.
    found = [file for file in shop.folder.rglob("*.jsonl") if file.stat().st_size]
    for file in sorted(found, key=lambda path: path.stat().st_mtime_ns):
        link(file, given / FILES[_root_of(file)])
    for raw in project.glob(".courier/runs/*/raw"):
        for pages in [*raw.rglob("Order.refunds*.jsonl"), *raw.rglob("Location-*.jsonl")]:
            link(pages, given / pages.name)
    return given


def _root_of(file: Path) -> str:
    with file.open("rb") as lines:
        for line in lines:
            for name in FILES:
                if line.startswith(b'{"__typename":"%s",' % name.encode()):
                    return name
    raise RuntimeError("a bulk file without a root record")


def link(file: Path, name: Path) -> None:
    name.unlink(missing_ok=True)
    name.symlink_to(file)


def compared(warehouse: Path, limit: Path) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """The rows of every table, and the names of those whose hash is another one in the limit's file."""
    ours, theirs = hashes(warehouse, "shopify"), hashes(limit, "main")
    return {name: rows for name, (rows, _) in ours.items()}, tuple(sorted(n for n in ours if ours[n] != theirs[n]))


def hashes(file: Path, schema: str) -> dict[str, tuple[int, Any]]:
    from courier.storage.duck import attach, connect
    from courier.storage.hashes import table_hash_sql

    with connect() as connection:
        attach(connection, file, "made", read_only=True)
        found = {}
        for table in TABLES:
            relation = f'made.{schema}."{table}"'
            columns = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {relation}").fetchall()}
            row = connection.execute(table_hash_sql(relation, columns)).fetchone()
            assert row is not None
            found[table] = (int(row[0]), row[1])
        return found
