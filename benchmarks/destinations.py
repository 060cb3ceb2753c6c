"""The same shop into a DuckDB file and into Postgres: first, with nothing changed, and with a change in a hundred."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.backfill import PATIENCE
from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.processes import cpu_seconds
from benchmarks.project import make_project
from benchmarks.report import Options, Report, Table, say
from benchmarks.sandbox_server import DAYS, Shop, serve
from tests.postgres_server import NO_POSTGRES, Cluster, beside, binaries, cluster, execute

SUMMARY = "a shop into a DuckDB file and into Postgres: first load, nothing changed, 1% changed"
ORDERS = 20_000
DATABASE = "bench"
NOTES = (
    "courier's CPU seconds are those of the whole `courier run` process; the server's, those of all of its processes.",
    "Postgres runs beside courier with 32 MB of shared buffers and without fsync, as the tests have it: seconds of a "
    "real server differ, what is asked of it does not.",
    "hashes: `courier tables --hash` after the last run, table by table.",
)


@dataclass
class Kept:
    """A destination, its project, and what each run took: courier's usage and the server's CPU seconds."""

    name: str
    project: Path
    environment: dict[str, str]
    server: Cluster | None = None
    runs: list[tuple[str, Usage, float]] = field(default_factory=list)

    def run(self, what: str, log: Path) -> None:
        before = _server_cpu(self.server)
        say(f"courier run into {self.name}: {what}")
        command = [*courier_command(), "run", "--group", "shopify", "--json"]
        usage = measured(command, log=log, cwd=self.project, env=self.environment, timeout=PATIENCE)
        if usage.exit_code != 0:
            raise RuntimeError(f"ended with {usage.exit_code}: {log.read_text('utf-8')[-2000:]}")
        self.runs.append((what, usage, _server_cpu(self.server) - before))

    def hashes(self) -> dict[str, str]:
        command = [*courier_command(), "tables", "--hash", "--json"]
        done = subprocess.run(command, cwd=self.project, env=self.environment, capture_output=True, check=True)
        return {one["table"]: one["hash"] for one in json.loads(done.stdout)["tables"]}


def run(options: Options) -> Report:
    found = binaries()
    if found is None:
        raise RuntimeError(NO_POSTGRES)
    with cluster(found) as server, serve(options.work / "shop", options.orders, days=DAYS) as shop:
        both = [_duckdb(options.work, shop), _postgres(options.work, shop, server)]
        for what in ("first load", "nothing changed", "1% changed"):
            if what == "1% changed":
                shop.change(options.orders // 100)
            for one in both:
                one.run(what, options.work / f"{one.name} {what}.log")
        hashes = [one.hashes() for one in both]
        size = int(_asked(server, f"SELECT pg_database_size('{DATABASE}')"))
    return _report(both, hashes[0] == hashes[1], size)


def _duckdb(work: Path, shop: Shop) -> Kept:
    project = work / "duckdb"
    return Kept("duckdb", project, make_project(project, shop, in_bulk=True))


def _postgres(work: Path, shop: Shop, server: Cluster) -> Kept:
    project = work / "postgres"
    environment = make_project(project, shop, in_bulk=True)
    (project / "courier.yaml").write_text("destination: postgres\n", "utf-8")
    execute(server.url, f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
    return Kept("postgres", project, {**environment, "COURIER_POSTGRES_URL": beside(server.url, DATABASE)}, server)


def _asked(server: Cluster, query: str) -> Any:
    import psycopg2

    with psycopg2.connect(server.url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()[0][0]


def _server_cpu(server: Cluster | None) -> float:
    """Of the server's processes, those that have ended included."""
    if server is None:
        return 0.0
    postmaster = int((server.folder / "data/postmaster.pid").read_text("utf-8").split()[0])
    return cpu_seconds(postmaster)


def _report(both: list[Kept], equal: bool, size: int) -> Report:
    base = {what: usage.cpu for what, usage, _ in both[0].runs}
    rows = [
        (what, one.name, usage.cpu, server, usage.wall, usage.peak_mb, (usage.cpu + server) / base[what])
        for one in both
        for what, usage, server in one.runs
    ]
    columns = ("run", "destination", "CPU s", "server's CPU s", "wall s", "peak RSS MB", "CPU in all, DuckDB = 1")
    told = f"hashes {'equal' if equal else 'NOT EQUAL'} in both; the database has {size / 1e6:,.0f} MB, the file "
    told += f"{(both[0].project / 'warehouse.duckdb').stat().st_size / 1e6:,.0f} MB"
    figures = {
        "hashes_equal": equal,
        "database_bytes": size,
        "runs": [
            {"run": what, "destination": one.name, "cpu": usage.cpu, "server_cpu": server, "wall": usage.wall}
            for one in both
            for what, usage, server in one.runs
        ],
    }
    return Report(SUMMARY, figures, (Table(columns, tuple(sorted(rows, key=lambda row: str(row[0])))),), (*NOTES, told))
