"""The same many stores on two Dagster workers over Postgres: a step per store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import accumulate

from dagster import DagsterInstance

from benchmarks.fleet_project import GIVEN, ORDERS, make, wrong_tables
from benchmarks.overlaps import overlaps
from benchmarks.processes import peak_mb
from benchmarks.report import Cell, Options, Report, Table, say
from benchmarks.sandbox_server import serve
from benchmarks.workers_machine import Machine, machine, until
from courier.opening import place_of

SUMMARY = (
    "one courier with many small stores, on two Dagster workers over Postgres: the first load, and a run without news"
)
HANDED_ON_SECONDS = 900  # as deploy/celery.yaml has it: nothing is killed here
WITHIN = 3 * 3600.0
PARTS = {
    "worker-1": "workers", "worker-2": "workers", "code": "coordinator", "daemon": "daemon", "postgres": "Postgres",
    "pooler": "PgBouncer", "redis": "Redis",
}  # fmt: skip
NOTES = (
    *GIVEN,
    "one group, one run of Dagster, a step per store; two Celery workers with two places each, Redis, rows and "
    "Dagster's runs in Postgres, PgBouncer before the latter, all on this machine. Seconds are those from the run's "
    "record to its end.",
    "the coordinator's CPU seconds are those of the code server and of the run's own process below it; `asking` is the "
    "command that asks for the run.",
    "overlapping: runs of a courier, in the ledger, that began before the one before had committed.",
)


@dataclass(frozen=True)
class Ran:
    """A run of all stores. `cpu`: part -> seconds; `steps`: seconds from the run's record to each step's both ends."""

    what: str
    result: str
    seconds: float
    cpu: dict[str, float]
    steps: tuple[tuple[float, float], ...]

    @property
    def at_once(self) -> int:
        """The most steps in flight."""
        changes = sorted([(begun, 1) for begun, _ in self.steps] + [(ended, -1) for _, ended in self.steps])
        return max(accumulate(change for _, change in changes))

    @property
    def in_flight(self) -> float:
        """How many steps were in flight, on the average of the whole run."""
        return sum(ended - begun for begun, ended in self.steps) / self.seconds

    @property
    def median_step(self) -> float:
        return sorted(ended - begun for begun, ended in self.steps)[len(self.steps) // 2]


def run(options: Options) -> Report:
    assert options.stores is not None
    root, stores = options.work / "project", options.stores
    with serve(options.work / "shop", ORDERS, customers=20, products=8, special=False, stores=stores) as shop:
        make(root, shop)
        (root / "courier.yaml").write_text("destination: postgres\n", "utf-8")
        with machine(options.work, root, handed_on=HANDED_ON_SECONDS) as at:
            runs = [_run(at, what) for what in ("first load", "nothing changed")]
            peak = max(peak_mb(at.processes[name].pid) for name in ("worker-1", "worker-2"))
            wrong, doubled = wrong_tables(root, shop, options.work), overlaps(place_of(root, sandbox=False))
    return _report(runs, stores, peak, wrong, doubled)


def _run(at: Machine, what: str) -> Ran:
    before, cpu, asking = set(at.runs()), at.cpu(), os.times()
    name = at.launch("shopify")
    asked = os.times()
    say(f"{what}: asked for run {name}")
    until(lambda: at.is_done(before), "the run done", WITHIN)
    used = {"asking": asked.children_user + asked.children_system - asking.children_user - asking.children_system}
    for process, seconds in at.cpu().items():
        used[PARTS[process]] = used.get(PARTS[process], 0.0) + seconds - cpu[process]
    ran = _ran(at.instance, name, what, used)
    say(f"{what}: {ran.result} after {ran.seconds:.0f} s; CPU {used}")
    return ran


def _ran(instance: DagsterInstance, name: str, what: str, cpu: dict[str, float]) -> Ran:
    record = instance.get_run_record_by_id(name)
    assert record is not None and record.end_time is not None
    made = record.create_timestamp.timestamp()
    steps = tuple(
        (one.start_time - made, one.end_time - made)
        for one in instance.get_run_step_stats(name)
        if one.start_time is not None and one.end_time is not None
    )
    return Ran(what, record.dagster_run.status.value.lower(), record.end_time - made, cpu, steps)


def _report(runs: list[Ran], stores: int, peak: int, wrong: list[str], doubled: int) -> Report:
    first, again = runs
    figures = {
        "stores": stores,
        "results": [one.result for one in runs],
        "stores_per_minute": round(stores * 60 / first.seconds, 1),
        "worker_cpu_seconds_per_store": round(first.cpu["workers"] / stores, 2),
        "stores_per_minute_without_news": round(stores * 60 / again.seconds, 1),
        "worker_cpu_seconds_per_store_without_news": round(again.cpu["workers"] / stores, 2),
        "worker_peak_rss_mb": peak,
        "wrong_tables": wrong,
        "overlaps": doubled,
    }
    columns = ("run", "result", "stores a minute", "seconds", "steps in flight, most", "on average", "a step's seconds")
    rows: list[tuple[Cell, ...]] = [
        (
            one.what, one.result, round(stores * 60 / one.seconds, 1), round(one.seconds), one.at_once, one.in_flight,
            one.median_step,
        )
        for one in runs
    ]  # fmt: skip
    spent: list[tuple[Cell, ...]] = [(part, *(one.cpu[part] / stores for one in runs)) for part in first.cpu]
    spent.append(("all", *(sum(one.cpu.values()) / stores for one in runs)))
    told = f"{len(wrong)} of {stores * 13:,} tables were wrong, {doubled} runs overlapped; "
    told += f"the largest process of a worker had {peak} MB."
    tables = (
        Table(columns, tuple(rows)),
        Table(("part", *(one.what for one in runs)), tuple(spent), "CPU seconds a store"),
    )
    return Report(SUMMARY, figures, tables, (*NOTES, told))
