"""A project of couriers that pull from a served shop."""

from __future__ import annotations

import os
import re
from pathlib import Path

from benchmarks.sandbox_server import Shop

ENDPOINT_AFTER = "connector: shopify\n"
COURIER = Path("couriers", "shopify.yaml")


def make_project(root: Path, shop: Shop, *, in_bulk: bool = False) -> dict[str, str]:
    """Write the starter project into `root`, pointed at the shop; returns the environment to run courier in.

    in_bulk: also what is too small for it, but for the locations, which cannot be had so.
    """
    from courier.cli.init import write_project

    write_project(root)
    courier = root / COURIER
    text = courier.read_text("utf-8")
    assert ENDPOINT_AFTER in text, f"{courier} does not begin as expected"
    text = text.replace(ENDPOINT_AFTER, f"{ENDPOINT_AFTER}endpoint: {shop.url}\n", 1)
    if in_bulk:
        text = re.sub(r"(?m)^(  [a-z_]+:)$", r"\1 { mode: bulk }", text)
    courier.write_text(text, "utf-8")
    return {**os.environ, **shop.credentials}


def point(root: Path, shop: Shop) -> dict[str, str]:
    """Point a project that was made before at the shop, which another port serves by now; returns the environment."""
    text = (root / COURIER).read_text("utf-8")
    text, found = re.subn(r"(?m)^endpoint: .*$", f"endpoint: {shop.url}", text, count=1)
    assert found, f"{root / COURIER} names no endpoint"
    (root / COURIER).write_text(text, "utf-8")
    return {**os.environ, **shop.credentials}
