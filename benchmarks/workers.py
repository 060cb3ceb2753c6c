"""Dagster with two Celery workers: one is killed in mid-load, then the coordinator. The same rows, no courier twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.overlaps import overlaps
from benchmarks.report import Options, Report, Table, say
from benchmarks.workers_machine import Machine, machine, until
from courier import sandbox
from courier.cli.init import write_project
from courier.opening import place_of
from courier.runtime.place import Place, is_running
from courier.sandbox.history.options import Options as Shop
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.truth import BOOKS
from courier.storage.inspect import tables
from courier.storage.postgres.snapshot import snapshot

SUMMARY = "two Dagster workers, one killed in mid-load, then the coordinator: the same rows, no courier twice at once"
ORDERS = 300  # of each store
LOADED = frozenset(BOOKS.loaded)
STORES = ("shop_a", "shop_b", "shop_c", "shop_d")
SLOW = 0.2  # seconds that the shops take for each answer, so that there is a middle to be killed in
WITHIN = 600.0
HANDED_ON_SECONDS = 20  # in place of the fifteen minutes of deploy/celery.yaml
NOTES = (
    "four stores in one group, four steps at a time on two workers with two places each; rows and Dagster's runs in "
    "Postgres, Celery over Redis, everything on this machine. A worker is killed with all of its processes (SIGKILL) "
    "when all four couriers are under way; the coordinator is the process of the Dagster run. Before each round every "
    "shop changes. A killed worker's steps are handed on after 20 s, a dead run's pools are freed after 30 s.",
    "the rows have the hashes of the shops' own books after every round. No two runs of one courier overlap in the "
    "ledger, `courier.run`: from a run's start to its commit.",
)


@dataclass(frozen=True)
class Fleet:
    """A project whose couriers each have a shop of their own."""

    root: Path
    served: Mapping[str, Sandbox]

    @property
    def place(self) -> Place:
        return place_of(self.root, sandbox=False)

    def change(self) -> None:
        for one in self.served.values():
            sandbox.change(one.shop, orders=30)

    def exact(self) -> bool:
        """Whether every table has the hash of its shop's books."""
        assert self.place.database
        with snapshot(self.place.database) as taken:
            taken.copy_ledger()
            for schema, table in taken.types:
                if schema in self.served and table in LOADED:
                    taken.copy(schema, table)
            found = {one.table: one.hash for one in tables(taken.connection, *self.served)}
        return found == {
            one.table.replace("shopify.", f"{name}."): one.hash
            for name, served in self.served.items()
            for one in sandbox.truth(served.shop)
        }

    def under_way(self) -> int:
        return sum(is_running(self.place, name) for name in self.served)


@contextmanager
def fleet(root: Path, orders: int) -> Iterator[Fleet]:
    write_project(root)
    template = root / "couriers" / "shopify.yaml"
    text = template.read_text("utf-8")
    template.unlink()
    (root / "courier_groups.yaml").write_text(f"stores: {{ couriers: {{ {': , '.join(STORES)}: }} }}\n", "utf-8")
    (root / "courier.yaml").write_text("destination: postgres\n", "utf-8")
    for path in (root / "activations").iterdir():
        path.unlink()
    with ExitStack() as running:
        served = {}
        for seed, name in enumerate(STORES, 1):
            shop = sandbox.open_shop(None, Shop(seed=seed, customers=orders // 4, orders=orders, products=20))
            served[name] = running.enter_context(sandbox.serve(shop))
            served[name].faults.add(Fault("slow", seconds=SLOW, times=0))
            _write(root, name, text, served[name])
        yield Fleet(root, served)


def _write(root: Path, name: str, text: str, served: Sandbox) -> None:
    prefix = name.upper()
    head = f"connector: shopify\ndomain_tables: shopify\nendpoint: {served.url}\n"
    written = text.replace("SHOPIFY_", f"{prefix}_").replace("connector: shopify\n", head, 1)
    (root / "couriers" / f"{name}.yaml").write_text(written, "utf-8")
    with (root / ".env").open("a", encoding="utf-8") as file:
        file.write(f"{prefix}_STORE={name.replace('_', '-')}\n")
        file.write(f"{prefix}_ACCESS_TOKEN={served.credentials['SHOPIFY_ACCESS_TOKEN']}\n")


def run(options: Options) -> Report:
    root = options.work / "project"
    with fleet(root, options.orders) as made, machine(options.work, root, handed_on=HANDED_ON_SECONDS) as at:
        rounds = (("nothing", _nothing), ("a worker", _kill_worker), ("the coordinator", _kill_coordinator))
        rows = [_lived(made, at, what, kill) for what, kill in rounds]
        doubled = overlaps(made.place)
    columns = ("killed", "seconds", "runs of Dagster", "result", "rows exact")
    figures = {"overlaps": doubled, "exact": all(row[-1] == "yes" for row in rows)}
    told = f"{doubled} overlapping runs of a courier in the ledger."
    return Report(SUMMARY, figures, (Table(columns, tuple(rows)),), (told, *NOTES))


def _lived(made: Fleet, at: Machine, what: str, kill: Callable[[Fleet, Machine, str], None]) -> tuple[str | float, ...]:
    made.change()
    before = set(at.runs())
    began = time.monotonic()
    first = at.launch("stores")
    until(lambda: made.under_way() == len(STORES), "all couriers under way", WITHIN)
    say(f"{what}: all couriers under way after {time.monotonic() - began:.0f} s")
    kill(made, at, first)
    until(lambda: at.is_done(before), "the run done", WITHIN)
    seconds, runs = time.monotonic() - began, [one for one in at.runs() if one not in before]
    exact = "yes" if made.exact() else "NO"
    say(f"{what}: {seconds:.0f} s, {len(runs)} runs, exact: {exact}")
    at.mend()
    return what, round(seconds), len(runs), at.result_of(runs), exact


def _nothing(made: Fleet, at: Machine, run: str) -> None:
    pass


def _kill_worker(made: Fleet, at: Machine, run: str) -> None:
    time.sleep(2)
    at.kill_worker()


def _kill_coordinator(made: Fleet, at: Machine, run: str) -> None:
    time.sleep(2)
    os.kill(at.coordinator(run), signal.SIGKILL)
