"""Random bad days: a seed decides how the shop, the network and the machine misbehave, and when the process is killed.

Whatever happens, readers see a state that the shop was in, and one quiet run at the end leaves what an undisturbed one
would have.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from courier import clock, sandbox
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.sandbox.bigcommerce.truth import KEYS as BIGCOMMERCE_TABLES
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.service import Settings
from tests.runs.hurried import BIGCOMMERCE, KLAVIYO, SHOPIFY, Ended, Hurried, Source, hashes, told, write_shops_project

SHOP = Options(customers=40, orders=130, products=14)
# A small bucket makes small pages, so that there is something between the first and the last one.
SETTINGS = Settings(bucket_size=400, restore_rate=20_000)
KILLED = {-signal.SIGKILL, -signal.SIGPROF}
# 0 done, 1 failed. 3 and 4 would be mistakes of ours, 130 nobody's: never a trace.
ENDINGS = {0, 1} | KILLED
# Under these the shop is in no single state while it is read: it changes, or answers as it would have earlier.
UNSTEADY = frozenset({"mutate", "bulk_torn", "duplicate_page"})


@dataclass(frozen=True)
class Climate:
    """What may go wrong with a source, and how it may be read.

    modes: to choose from, evenly; `kinds`: of faults, by mode; `words`: parts of requests that a fault may wait for
    few:   of the tables, those of most days
    """

    source: Source
    modes: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...]
    tables: tuple[str, ...]
    few: frozenset[str]


ON_SHOPIFY = Climate(
    SHOPIFY,
    modes=("pages", "bulk", "bulk"),
    # Only download_garbled is left out: of a byte that is wrong inside a value no count can tell.
    kinds={
        "pages": ("status", "throttled", "internal_error", "reset", "truncated", "slow", "duplicate_page", "mutate"),
        "bulk": (
            "status", "reset", "truncated", "throttled", "internal_error", "bulk_failed", "bulk_expired",
            "bulk_canceled", "bulk_canceling", "bulk_slow", "bulk_busy", "bulk_short", "bulk_miscount",
            "bulk_filesize", "bulk_lost_root", "bulk_duplicate", "bulk_torn", "download_truncated", "download_reset",
            "download_status", "download_no_range", "mutate",
        ),
    },
    words=("", "orders(", "customers(", "products(", "Count(", "Drain", "Preflight", "bulkOperation", "nodes("),
    tables=(
        "customer", "customer_address", "customer_tags", "order", "order_line", "order_line_refund", "order_tags",
        "discount_allocation", "discount_codes", "product", "product_tags", "product_variant", "locations",
    ),
    # With these alone a run takes half as long as with all: two roots, children of the bulk result, children by pages.
    few=frozenset({"customer", "order", "order_line", "order_line_refund"}),
)  # fmt: skip
ON_KLAVIYO = Climate(
    KLAVIYO,
    modes=("pages",),
    kinds={"pages": ("status", "throttled", "reset", "truncated", "html", "slow", "duplicate_page", "mutate")},
    words=("", "/api/profiles", "/api/events", "/api/lists", "/relationships/", "cursor", "/api/campaigns", "accounts"),
    tables=(
        "accounts", "profiles", "lists", "list_profiles", "events", "order_items", "flows", "flow_messages",
        "templates", "campaigns", "campaign_messages", "metrics",
    ),
    few=frozenset({"profiles", "lists", "list_profiles", "campaigns", "campaign_messages"}),
)  # fmt: skip
ON_BIGCOMMERCE = Climate(
    BIGCOMMERCE,
    modes=("pages",),
    kinds={"pages": ("status", "throttled", "reset", "truncated", "html", "slow", "mutate", "hidden")},
    words=("", "/v2/orders?", "/v2/orders/count", "/products", "/customers", "/coupons", "/store", "id:in", "/reviews"),
    tables=tuple(sorted(BIGCOMMERCE_TABLES)),
    few=frozenset({"customers", "customer_addresses", "orders", "order_products", "products", "product_reviews"}),
)
# Every file whose writing is a step that a later process relies on, and how often one run touches it, about.
FILES = {
    "run.new": 4, "answer": 2, "operation.json": 12, "manifest": 24, "/raw/": 60, "changed/": 12, "left_out/": 6,
    "/shaped/": 50, "/dlt/": 160, "/landing/": 80, "private.lock": 3, "published": 4, "warehouse.duckdb": 4,
    "state.db": 8, "budgets": 60, "locks/": 1, "": 400,
}  # fmt: skip
STATEMENTS = 1200  # a first run sends about as many
OF_BULK = frozenset({"operation.json", "changed/", "left_out/"})


@dataclass(frozen=True)
class Day:
    """One run: what goes wrong, where the process is killed (hurried_run's end), how much changed before."""

    faults: tuple[Fault, ...]
    end: Mapping[str, Any] | None
    changes: int

    @property
    def unsteady(self) -> bool:
        return any(fault.kind in UNSTEADY for fault in self.faults)


@dataclass(frozen=True)
class Plan:
    """What a seed decides: how records are asked for, of which tables, and one to three days."""

    mode: str
    tables: tuple[str, ...]
    days: tuple[Day, ...]


def plan_of(seed: int, climate: Climate = ON_SHOPIFY, *, full: bool = False, database: bool = False) -> Plan:
    """What a seed decides.

    full: every table, up to three days, and kills at moments of CPU time, which no seed repeats exactly. database: rows
    go into Postgres, and a kill may come between two statements.
    """
    roll = Random(seed)
    mode = roll.choice(climate.modes)
    days = range(roll.choice((1, 1, 2, 3)) if full else 1 + (seed % 5 == 0))
    wanted = tuple(table for table in climate.tables if full or table in climate.few)
    return Plan(mode, wanted, tuple(_day(roll, climate, mode, number, full, database) for number in days))


def _day(roll: Random, climate: Climate, mode: str, number: int, full: bool, database: bool) -> Day:
    faults = tuple(_fault(roll, climate, mode) for _ in range(roll.randrange(4)))
    killed = roll.random() < 0.6 or not faults
    end = _end(roll, mode, full) if killed else None
    if killed and database and roll.random() < 0.6:
        end = {"statement": roll.randrange(1, STATEMENTS)}
    return Day(faults, end, roll.choice((0, 20)) if number else 0)


def _end(roll: Random, mode: str, full: bool) -> Mapping[str, Any]:
    kind = roll.choice(("event", "file", "file", "cpu"))
    if kind == "cpu" and full:
        return {"cpu": roll.uniform(0.02, 1.6)}
    if kind == "event":
        return {"event": {}, "nth": roll.randrange(1, 90)}
    text = roll.choice([name for name in FILES if mode == "bulk" or name not in OF_BULK])
    return {"file": text, "nth": roll.randrange(1, FILES[text] + 1)}


def _fault(roll: Random, climate: Climate, mode: str) -> Fault:
    fault = Fault(
        roll.choice(climate.kinds[mode]),
        nth=roll.randrange(1, 5),
        times=roll.choice((1, 1, 2, 7)),
        status=roll.choice((429, 500, 502, 503, 504, 530)),
        seconds=roll.choice((0.05, 0.4)),
        share=roll.random(),
        partial=roll.random() < 0.5,
        field=roll.choice(("objectCount", "rootObjectCount")),
        error=roll.choice(("INTERNAL_SERVER_ERROR", "TIMEOUT")),
    )
    if fault.kind == "mutate":
        fault = replace(fault, times=min(fault.times, 2))
    if fault.kind.startswith(("bulk_", "download_")):
        return fault if fault.kind == "bulk_busy" else replace(fault, nth=min(fault.nth, 3))
    return replace(fault, contains=roll.choice(climate.words)) if roll.random() < 0.7 else fault


def live_through(
    seed: int,
    folder: Path,
    hurry: Hurried,
    climate: Climate = ON_SHOPIFY,
    *,
    full: bool = False,
    database: str = "",
) -> tuple[int, ...]:
    """The exit codes of the disturbed runs, which load into DuckDB's file or into the database of this URL.

    Raises AssertionError, telling the seed, where a row is lost, doubled or made up, or a run ends in a trace.
    """
    plan = plan_of(seed, climate, full=full, database=bool(database))
    shop = sandbox.open_shop(folder / "shop", SHOP)
    with sandbox.serve(shop, settings=SETTINGS) as served:
        root = folder / "project"
        write_shops_project(root, served, plan.mode, plan.tables, climate.source, database)
        trial = _Trial(seed, plan, climate.source, shop, served, root, hurry)
        for day in plan.days:
            trial.live(day)
        trial.end()
    return tuple(trial.codes)


class _Trial:
    """One plan as it is lived through; `states` are those that readers may see."""

    def __init__(
        self, seed: int, plan: Plan, source: Source, shop: Shop, served: Sandbox, root: Path, hurry: Hurried
    ) -> None:
        self._seed = seed
        self._source = source
        self._told = f"seed {seed}", plan
        self._tables = plan.tables
        self._shop = shop
        self._served = served
        self._root = root
        self._hurry = hurry
        self._states: list[dict[str, str] | None] = [None]
        self._under_way = False
        self.codes: list[int] = []

    def live(self, day: Day) -> None:
        if day.changes:
            sandbox.change(self._shop, day.changes)
        self._settle()
        self._states.append(self._told_now())
        self._served.faults.add(*day.faults)
        ended = self._run(day.end)
        self._served.faults.clear()
        self.codes.append(ended.code)
        self._check(ended.code in ENDINGS and "Traceback" not in ended.err, ended.err)
        held, now = hashes(self._root), self._told_now()
        # A run that was killed while it read goes on in a shop that has changed: what it then commits is of two states.
        mixed = day.unsteady or (day.changes > 0 and self._under_way)
        self._check(mixed or held in self._states, "readers see a state that never was")
        if ended.code == 0 and not day.unsteady:
            self._check(held == now, f"succeeded with other rows than the shop's: {differing(held, now)}")
        self._states += [held, now] if mixed else [now]
        self._under_way = ended.code in KILLED

    def end(self) -> None:
        self._settle()
        if self._seed % 3 == 0 and self.codes[-1] != 0:
            self._retry()
        ended = self._run()
        self._check(ended.code == 0, ended.err)
        held, now = hashes(self._root), self._told_now()
        self._check(held == now, f"ended with other rows than the shop's: {differing(held, now)}")
        self._check(self._served.service.bulk.cancelled == [], "operations of others were cancelled")

    def _retry(self) -> None:
        """What was left of the last run is gone on with, or started over; a quiet run must not notice."""
        last = History(Place(self._root, sandbox=False).history).last(self._source.name)
        afresh = self._seed % 2 == 1
        words = ["retry", last.run if last else "none", *(["--fetch"] if afresh else [])]
        retried = self._hurry.courier(self._root, words, self._served.credentials)
        # 1: what it has is not whole. 2: it had committed when it was killed, or there is nothing of it yet.
        self._check(retried.code in ((0, 2) if afresh else (0, 1, 2)) and "Traceback" not in retried.err, retried.err)

    def _run(self, end: Mapping[str, Any] | None = None) -> Ended:
        return self._hurry.run(self._root, self._served, end, group=self._source.name)

    def _told_now(self) -> dict[str, str]:
        return told(self._shop, self._tables, self._source)

    def _settle(self) -> None:
        """Wait for the second of the last edit: of two edits in one second the shop dates the other a second later."""
        last = max(family.order.updated_at for family in self._shop.history.orders.values())
        clock.sleep(last - clock.now().timestamp())

    def _check(self, holds: bool, text: str) -> None:
        seed, plan = self._told
        assert holds, f"{seed}: {text[-3000:]}\n{plan}"


def differing(held: Mapping[str, str] | None, now: Mapping[str, str]) -> list[str]:
    return sorted(table for table in now if (held or {}).get(table) != now[table])
