"""Random bad days: a seed decides how the shop, the network and the machine misbehave, and when the process is killed.

Whatever happens, readers see a state that the shop was in, and one quiet run at the end leaves what an undisturbed one
would have.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from courier import sandbox
from courier.cli.init import write_project
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.truth import TableTruth
from courier.storage.inspect import open_published, tables

CHECKOUT = Path(__file__).parents[2]
SHOP = Options(customers=40, orders=130, products=14)
# 0 done, 1 failed, 3 no credential would be ours, 4 refused by a guard, -9 killed: never a trace.
ENDINGS = {0, 1, -9}
DOCUMENTS = ("", "orders(", "customers(", "products(", "Count(", "Drain", "Preflight", "bulkOperation", "nodes(")
KINDS = {
    "pages": ("status", "throttled", "internal_error", "reset", "truncated", "slow", "duplicate_page", "mutate"),
    "bulk": (
        "status", "reset", "truncated", "throttled", "bulk_failed", "bulk_expired", "bulk_canceled", "bulk_canceling",
        "bulk_slow", "bulk_busy", "bulk_short", "bulk_miscount", "bulk_filesize", "bulk_lost_root", "bulk_duplicate",
        "bulk_torn", "download_truncated", "download_reset", "download_status", "download_no_range",
        "download_garbled",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Day:
    """One run: what goes wrong, the event at which the process is killed (0: at none), and how much changed before."""

    faults: tuple[Fault, ...]
    kill: int
    changes: int


@dataclass(frozen=True)
class Plan:
    """What a seed decides: how records are asked for, and one to three days."""

    mode: str
    days: tuple[Day, ...]


def plan_of(seed: int) -> Plan:
    roll = Random(seed)
    mode = roll.choice(("pages", "bulk", "bulk"))
    return Plan(mode, tuple(_day(roll, mode, number) for number in range(roll.choice((1, 1, 2, 3)))))


def _day(roll: Random, mode: str, number: int) -> Day:
    faults = tuple(_fault(roll, mode) for _ in range(roll.randrange(4)))
    kill = roll.randrange(1, 90) if roll.random() < 0.6 or not faults else 0
    return Day(faults, kill, roll.choice((0, 20)) if number else 0)


def _fault(roll: Random, mode: str) -> Fault:
    fault = Fault(
        roll.choice(KINDS[mode]),
        nth=roll.randrange(1, 5),
        times=roll.choice((1, 1, 2, 7)),
        status=roll.choice((429, 500, 502, 503, 504, 530)),
        seconds=roll.choice((0.05, 1.0)),
        share=roll.random(),
        partial=roll.random() < 0.5,
        field=roll.choice(("objectCount", "rootObjectCount")),
        error=roll.choice(("INTERNAL_SERVER_ERROR", "TIMEOUT")),
    )
    aimed = fault.kind in KINDS["pages"] and roll.random() < 0.7
    return replace(fault, contains=roll.choice(DOCUMENTS)) if aimed else fault


def write_shops_project(root: Path, served: Sandbox, mode: str) -> None:
    """The starter project, pointed at the served shop, with every feed that can be in the given mode."""
    write_project(root)
    file = root / "couriers" / "shopify.yaml"
    text = file.read_text("utf-8").replace("connector: shopify\n", f"connector: shopify\nendpoint: {served.url}\n", 1)
    lines = [f"{line} {{ mode: {mode} }}" if line.startswith("  ") and line.endswith(":") else line
             for line in text.splitlines()]  # fmt: skip
    file.write_text("\n".join(lines) + "\n", "utf-8")


def run(root: Path, served: Sandbox, kill: int = 0) -> subprocess.CompletedProcess[str]:
    """`courier run --group shopify`, in a hurry."""
    environment = {**os.environ, **served.credentials, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "tests.runs.hurried_run", str(kill or "-"), "run", "--group", "shopify", "--json"]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120)


def live_through(seed: int, folder: Path) -> None:
    """Raises AssertionError, telling the seed, where a row is lost, doubled or made up, or a run ends in a trace."""
    plan = plan_of(seed)
    shop = sandbox.open_shop(folder / "shop", SHOP)
    states = [told(sandbox.truth(shop))]
    with sandbox.serve(shop) as served:
        root = folder / "project"
        write_shops_project(root, served, plan.mode)
        for day in plan.days:
            if day.changes:
                sandbox.change(shop, day.changes)
            served.faults.add(*day.faults)
            ended = run(root, served, day.kill)
            served.faults.clear()
            states.append(told(sandbox.truth(shop)))
            assert ended.returncode in ENDINGS and "Traceback" not in ended.stderr, explained(seed, plan, ended.stderr)
            held = hashes(root)
            torn = any(fault.kind in ("mutate", "bulk_torn") for fault in day.faults)
            assert held is None or held in states or torn, explained(seed, plan, "readers see a state that never was")
            if ended.returncode == 0 and not torn:
                assert held == states[-1], explained(seed, plan, "succeeded with other rows than the shop's")
        ended = run(root, served)
        assert ended.returncode == 0, explained(seed, plan, ended.stderr)
        assert hashes(root) == told(sandbox.truth(shop)), explained(seed, plan, "ended with other rows than the shop's")


def told(truth: list[TableTruth]) -> dict[str, str]:
    return {one.table: one.hash for one in truth}


def hashes(root: Path) -> dict[str, str] | None:
    """Table -> hash of the published file, None where there is none yet."""
    file = root / "warehouse.duckdb"
    if not file.exists():
        return None
    with open_published(file) as connection:
        return {one.table: one.hash for one in tables(connection)}


def explained(seed: int, plan: Plan, text: str) -> str:
    return f"seed {seed}: {text[-3000:]}\n{plan}"
