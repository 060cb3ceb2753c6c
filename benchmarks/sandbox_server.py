"""The made-up shop as a process of its own, so that what it uses is not counted with what is measured."""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

FEWEST_CUSTOMERS, FEWEST_PRODUCTS = 60, 24
READY_WITHIN = 900.0
DAYS = 3
"""How old a shop has to be for a courier, which reaches back a day, to read nothing but what a benchmark changes.

A shop made now has two in a hundred of its orders in its last second.
"""


@dataclass(frozen=True)
class Shop:
    """A served shop. `credentials` are the variables that a courier reads."""

    url: str
    credentials: dict[str, str]
    folder: Path
    pid: int
    stores: dict[str, dict[str, str]]
    """Beside it, small ones: what each is opened with, by the keys of a courier's `credential:`."""

    def truth(self, store: str = "") -> dict[str, dict[str, Any]]:
        """What the domain tables should hold: `{"order": {"rows": 2000, "hash": "..."}}`. store: of those beside it."""
        with urlopen(f"{self.url}/_sandbox/truth?store={store}", timeout=READY_WITHIN) as answer:
            tables = json.load(answer)["tables"]
        return {i["table"].removeprefix("shopify."): {"rows": i["rows"], "hash": i["hash"]} for i in tables}

    def change(self, orders: int) -> list[dict[str, Any]]:
        """Change the shop, now; per domain table how many rows are inserted, updated and deleted."""
        tables: list[dict[str, Any]] = self._post("change", {"orders": orders})["tables"]
        return tables

    def reset(self) -> None:
        """Undo every change."""
        self._post("reset", {"changes": True})

    def _post(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        asked = Request(f"{self.url}/_sandbox/{name}", json.dumps(given).encode())
        with urlopen(asked, timeout=READY_WITHIN) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def serve(
    folder: Path,
    orders: int,
    *,
    customers: int | None = None,
    products: int | None = None,
    special: bool = True,
    generous: bool = False,
    port: int = 0,
    days: int = 0,
    stores: int = 0,
) -> Iterator[Shop]:
    """Serve the shop of `folder`, made anew if there is none. Returns when it answers; ends it with the block.

    `special`: with the rare cases (an order of 300 lines). `generous`: with a rate limit that nobody reaches.
    `days`: how long ago a shop made anew saw its last order. `stores`: how many small ones there are beside it.
    """
    people = customers or max(FEWEST_CUSTOMERS, orders // 3)
    catalogue = products or max(FEWEST_PRODUCTS, orders // 25)
    sizes = [
        f"--orders={orders}",
        f"--customers={people}",
        f"--products={catalogue}",
        f"--port={port}",
        f"--days={days}",
        f"--stores={stores}",
    ]
    command = [sys.executable, "-m", "benchmarks.sandbox_server", str(folder), *sizes]
    command += ["--plain"] * (not special) + ["--generous"] * generous
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield Shop(ready["url"], ready["credentials"], folder, process.pid, ready["stores"])
        finally:
            process.stdin.close()  # which tells it to end
            process.wait()


def _main() -> None:
    from courier import sandbox
    from courier.sandbox.history.options import Options
    from courier.sandbox.shop import Shop as Made
    from courier.sandbox.shopify.service import Settings

    parser = argparse.ArgumentParser("python -m benchmarks.sandbox_server")
    parser.add_argument("folder", type=Path)
    for name in ("orders", "customers", "products", "port", "days", "stores"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--plain", action="store_true", help="without the rare cases")
    parser.add_argument("--generous", action="store_true", help="with a rate limit that nobody reaches")
    given = parser.parse_args()
    sizes = Options(customers=given.customers, orders=given.orders, products=given.products, special=not given.plain)
    there = (given.folder / "shop.json").exists()
    shop = Made.open(given.folder, None if there else sizes, timedelta(days=given.days))
    assert shop.history.orders  # made now, not while the first request is being measured
    gc.freeze()  # to look through a million orders for garbage takes ten seconds, while somebody waits
    settings = Settings(bucket_size=1e9, restore_rate=1e9) if given.generous else Settings()
    names = [f"shopify_s{number:04}" for number in range(given.stores)]
    with sandbox.serve(shop, given.port, settings, names) as server:
        stores = {name: server.credential("shopify", name) for name in names}
        told = {"url": server.url, "credentials": dict(server.credentials), "stores": stores}
        print(json.dumps(told), flush=True)
        watcher = threading.Thread(target=sys.stdin.read, daemon=True)
        watcher.start()
        watcher.join()  # whoever started this closes its end, or has died


if __name__ == "__main__":
    _main()
