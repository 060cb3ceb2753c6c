"""`python -m benchmarks NAME`: run one benchmark, print its tables, write its section of docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import EMBEDDED, Options, Report, as_json, as_markdown, as_text, with_section

NAMES = (
    "backfill",
    "incremental",
    "destinations",
    "peers",
    "start",
    "memory",
    "faults",
    "schedule",
    "schedule_kills",
    "workers",
    "activate",
    "activation_kills",
    "simulated_history",
    "fleet",
)
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
CACHE = Path.home() / ".cache" / "courier-benchmarks"


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    module = import_module(f"benchmarks.{given.name}")
    if given.engine not in getattr(module, "ENGINES", (EMBEDDED,)):
        sys.exit(f"{given.name} does not run on {given.engine}")
    with _work_folder(given.work, getattr(module, "GOES_ON", False)) as work:
        options = Options(
            orders=given.orders or module.ORDERS,
            work=work,
            cache=given.cache,
            rounds=given.rounds,
            seed=given.seed,
            only=tuple(given.only),
            groups=given.groups or getattr(module, "GROUPS", None),
            stores=given.stores or getattr(module, "STORES", None),
            engine=given.engine,
        )
        report: Report = module.run(options)
    machine = _machine()
    if not given.no_write:
        _write(given.name, report, options, machine)
    if given.json:
        head = {"version": 1, "benchmark": given.name, "orders": options.orders, "machine": machine}
        print(json.dumps({**head, **as_json(report)}, default=str))
    else:
        print(as_text(report))


def _parser() -> argparse.ArgumentParser:
    names = [name for name in NAMES if find_spec(f"benchmarks.{name}")]
    lines = [f"  {name:<12} {import_module(f'benchmarks.{name}').SUMMARY}" for name in names]
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description="Measure, print a table, and write it into docs/benchmarks.md.",
        epilog="benchmarks:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=names, metavar="NAME", help="which benchmark; see below")
    parser.add_argument("--orders", type=_positive, help="how many orders the made-up shop has")
    parser.add_argument("--groups", type=_positive, help="how many courier groups the scheduler has")
    parser.add_argument("--stores", type=_positive, help="how many stores one courier has")
    parser.add_argument("--engine", choices=(EMBEDDED, "dagster"), default=EMBEDDED, help="what runs them, for fleet")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=_positive, help="how often, for those that repeat")
    parser.add_argument("--seed", type=int, help="of what is random, for those that are")
    parser.add_argument("--only", action="append", default=[], help="a part of the benchmark by its name; repeatable")
    parser.add_argument("--cache", type=_folder, default=CACHE, help="where installed peers are kept")
    parser.add_argument(
        "--work", type=_folder, help="keep what the run writes, in this empty folder; incremental goes on with its own"
    )
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    return parser


def _folder(text: str) -> Path:
    """Commands are run in folders of their own, where a relative path would mean something else."""
    return Path(text).expanduser().resolve()


def _positive(text: str) -> int:
    number = int(text.replace(",", "").replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


@contextmanager
def _work_folder(kept: Path | None, goes_on: bool) -> Iterator[Path]:
    if kept is None:
        with TemporaryDirectory(prefix="courier-benchmark-") as folder:
            yield Path(folder)
        return
    kept.mkdir(parents=True, exist_ok=True)
    if any(kept.iterdir()) and not goes_on:
        sys.exit(f"{kept} is not empty")
    yield kept


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1024**3),
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "dlt": version("dlt"),
    }


def _write(name: str, report: Report, options: Options, machine: dict[str, Any]) -> None:
    size = ["--groups", str(options.groups)] if options.groups else ["--orders", str(options.orders)]
    size = ["--stores", str(options.stores)] if options.stores else size
    engine = ["--engine", options.engine] if options.engine != EMBEDDED else []
    command = shlex.join(["python", "-m", "benchmarks", name, *size, *engine])
    known = f"{machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}"
    versions = f"DuckDB {machine['duckdb']}, dlt {machine['dlt']}"
    lines = [f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {known}, {versions}."]
    name = "_".join([name, *engine[1:]])
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    PAGE.write_text(with_section(page, name, as_markdown(report, name, lines)), "utf-8")


if __name__ == "__main__":
    main()
