"""A project with a list of small stores, and which of its tables are not what the stores' own books say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from benchmarks.measure import courier_command
from benchmarks.measure import run as measured
from benchmarks.report import say
from benchmarks.sandbox_server import Shop

ORDERS = 60
PATIENCE = 4 * 3600.0
GIVEN = (
    "each store has 20 customers and 60 orders, 13 tables in a schema of its own, an identity, a token and a rate "
    "limit of its own; one sandbox process serves all of them, and its seconds are not counted.",
    "wrong tables: those whose hash is not what the store's own books say, over all stores.",
)


def make(root: Path, shop: Shop) -> None:
    """The starter project with a list of stores, and their tokens in .env."""
    from courier.cli.init import write_project

    write_project(root)
    courier = root / "couriers" / "shopify.yaml"
    text = courier.read_text("utf-8")
    text, found = re.subn(r"(?m)^credential:\n(  .*\n)+", f"endpoint: {shop.url}\nstores: shopify.csv\n", text, count=1)
    assert found, f"{courier} has no credential"
    courier.write_text(text, "utf-8")
    names = {name.removeprefix("shopify_"): opened for name, opened in shop.stores.items()}
    lines = [f"{name},{opened['store']}" for name, opened in names.items()]
    (root / "couriers" / "shopify.csv").write_text("\n".join(["name,store", *lines, ""]), "utf-8")
    secrets = [f"SHOPIFY_ACCESS_TOKEN_{name.upper()}={opened['access_token']}" for name, opened in names.items()]
    (root / ".env").write_text("\n".join([*secrets, ""]), "utf-8")


def wrong_tables(project: Path, shop: Shop, work: Path) -> list[str]:
    say("comparing hashes")
    command = [*courier_command(), "tables", "--hash", "--json"]
    used = measured(command, log=work / "tables.log", cwd=project, env=dict(os.environ), timeout=PATIENCE)
    assert used.exit_code == 0, (work / "tables.log").read_text("utf-8")
    held = {one["table"]: one["hash"] for one in json.loads((work / "tables.out").read_text("utf-8"))["tables"]}
    wanted = {f"{name}.{table}": one["hash"] for name in shop.stores for table, one in shop.truth(name).items()}
    return sorted(name for name in held.keys() | wanted.keys() if held.get(name) != wanted.get(name))
