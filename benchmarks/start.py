"""How long one waits for the small commands."""

from __future__ import annotations

import os
import sys

from benchmarks.backfill import load
from benchmarks.measure import Usage, courier_command
from benchmarks.measure import run as measured
from benchmarks.report import Options, Report, Table
from benchmarks.sandbox_server import serve

SUMMARY = "start-up: --help, status, validate, and a run that finds nothing new"
ORDERS = 1_500
ROUNDS = 5
COMMANDS = {
    "courier --help": ["--help"],
    "courier validate": ["validate"],
    "courier status": ["status"],
    "courier run, nothing new": ["run", "--group", "shopify"],
}
NOTES = ("the least of the rounds: what the machine's other work adds is not the command's.",)


def run(options: Options) -> Report:
    project = options.work / "project"
    with serve(options.work / "shop", options.orders) as shop:
        load(project, shop, options.work / "first.log")
        environment = {**os.environ, **shop.credentials}
        nothing = _least([sys.executable, "-c", "pass"], options, environment)
        found = {
            name: _least([*courier_command(), *arguments], options, environment) for name, arguments in COMMANDS.items()
        }
    rows = [(name, used.cpu, used.wall, round(used.peak_mb), used.cpu / nothing.cpu) for name, used in found.items()]
    rows.insert(0, ("python -c pass", nothing.cpu, nothing.wall, round(nothing.peak_mb), 1.0))
    columns = ("command", "CPU s", "wall s", "peak RSS MB", "CPU, python = 1")
    figures = {"cpu_seconds": {name: round(used.cpu, 2) for name, used in found.items()}}
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), NOTES)


def _least(command: list[str], options: Options, environment: dict[str, str]) -> Usage:
    rounds = range(options.rounds or ROUNDS)
    log = options.work / "command.log"
    used = [measured(command, log=log, cwd=options.work / "project", env=environment) for _ in rounds]
    failed = [one for one in used if one.exit_code != 0]
    if failed:
        raise RuntimeError(f"{command} ended with {failed[0].exit_code}: {log.read_text('utf-8')[-2000:]}")
    return min(used, key=lambda one: one.cpu)
