"""How long one waits for the plan of an activation over many customers."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.report import Options, Report, Table, say

SUMMARY = "the plan of an activation over a hundred thousand customers and their orders"
ORDERS = 300_000
ROUNDS = 5
SHOP_ORDERS = 1_500  # of the sandbox's own shop, whose rows are multiplied
# Table -> the columns that tie rows together, which must differ in each copy.
KEYS = {
    "customer": ("id",),
    "order": ("id", "customer_id"),
    "order_line": ("id", "order_id"),
}
APART = 1_000_000_000_000_000
NOTES = (
    "the sandbox's shop is loaded by `courier run`, and its customers, orders and order lines are then multiplied in "
    "the database. The plan is that of the shipped `mavera_cohorts`, in a process of its own which also serves the "
    "made-up account: lineage of the query, query, guards, templates, and every page of the account's personas.",
    "the least of the rounds: what the machine's other work adds is not the command's.",
)


def run(options: Options) -> Report:
    project = options.work / "project"
    customers = _prepare(project, options)
    command = [*courier_command(), "activate", "mavera_cohorts", "--sandbox", "--json"]
    rounds = [_measured(command, options) for _ in range(options.rounds or ROUNDS)]
    least = min(rounds, key=lambda one: one.wall)
    row = (customers, options.orders, least.wall, least.cpu, least.peak_mb)
    columns = ("customers", "orders", "wall s", "CPU s", "peak RSS MB")
    figures = {"customers": customers, "wall_seconds": round(least.wall, 2), "cpu_seconds": round(least.cpu, 2)}
    return Report(SUMMARY, figures, (Table(columns, (row,)),), NOTES)


def _prepare(project: Path, options: Options) -> int:
    from courier.cli.init import write_project
    from courier.storage.warehouse import Files, opened, publish

    project.mkdir(parents=True, exist_ok=True)
    write_project(project)
    _measured([*courier_command(), "run", "--group", "shopify", "--sandbox"], options)
    files, copies = Files.of(project, sandbox=True), max(1, options.orders // SHOP_ORDERS)
    say(f"multiplying by {copies}")
    with opened(files) as connection:
        for table, keys in KEYS.items():
            moved = ", ".join(f"{key} + {APART} * copy AS {key}" for key in keys)
            name = f'private.shopify."{table}"'
            connection.execute(
                f"INSERT INTO {name} SELECT * EXCLUDE (copy) REPLACE ({moved}) FROM "
                f"(SELECT * FROM {name} CROSS JOIN range(1, {copies}) AS made (copy))"
            )
        row = connection.execute("SELECT count(*) FROM private.shopify.customer").fetchone()
    publish(files)
    assert row is not None
    return int(row[0])


def _measured(command: list[str], options: Options) -> Usage:
    log = options.work / "command.log"
    used = measured(command, log=log, cwd=options.work / "project", env=dict(os.environ))
    if used.exit_code != 0:
        raise RuntimeError(f"{command} ended with {used.exit_code}: {log.read_text('utf-8')[-2000:]}")
    return used
