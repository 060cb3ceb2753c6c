"""A group of two couriers, each with a small shop of its own, run by processes that start quickly."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from courier import sandbox
from courier.cli.init import write_project
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.storage.inspect import open_published, tables
from tests.runs.hurried import Ended, Hurried, edit, traceless

STORES = ("shopify_uk", "shopify_us")
FEEDS = ("product", "product_tags")
SHOP = Options(customers=3, orders=3, products=6, special=False)
GROUPS = """
stores:
  couriers:
    shopify_uk:
    shopify_us: { required: true }
after:
  couriers: { shopify_uk: }
  constraints: [{ group: stores, offset: 1h, wait: 30m }]
"""


@dataclass(frozen=True)
class Grouped:
    root: Path
    served: Mapping[str, Sandbox]
    hurry: Hurried | None

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=False)

    @property
    def history(self) -> History:
        return History(self.place.history)

    def courier(self, *arguments: str, end: Mapping[str, Any] | None = None, **environment: str) -> Ended:
        assert self.hurry, "this project was made to be run inside the test"
        return traceless(self.hurry.courier(self.root, arguments, environment, end))

    def copy(self, target: Path) -> Path:
        """The folder, copied before anything has run in it."""
        return Path(shutil.copytree(self.root, target))

    def edit(self, path: str, old: str, new: str) -> None:
        edit(self.root / path, old, new)

    @property
    def hashes(self) -> dict[str, str]:
        with open_published(self.place.files.published) as connection:
            return {one.table: one.hash for one in tables(connection)}

    @property
    def rows(self) -> dict[str, int]:
        with open_published(self.place.files.published) as connection:
            return {one.table: one.rows for one in tables(connection, hashes=False)}

    def truth(self, *names: str) -> dict[str, str]:
        """Of these couriers; of all of them if none is named."""
        return {
            one.table.replace("shopify.", f"{name}."): one.hash
            for name in names or STORES
            for one in sandbox.truth(self.served[name].shop, FEEDS)
        }


@contextmanager
def grouped(root: Path, hurry: Hurried | None) -> Iterator[Grouped]:
    write_project(root)
    template = root / "couriers" / "shopify.yaml"
    text = template.read_text("utf-8").partition("feeds:\n")[0]
    template.unlink()
    shutil.rmtree(root / "activations")  # of the courier that is no more
    (root / "courier_groups.yaml").write_text(GROUPS, "utf-8")
    with ExitStack() as running:
        served = {}
        for seed, name in enumerate(STORES, 1):
            served[name] = running.enter_context(sandbox.serve(sandbox.open_shop(None, replace(SHOP, seed=seed))))
            _write(root, name, text, served[name])
        yield Grouped(root, served, hurry)


def _write(root: Path, name: str, text: str, served: Sandbox) -> None:
    """The courier's file, and its credentials in .env."""
    prefix = name.removeprefix("shopify_").upper()
    head = f"connector: shopify\ndomain_tables: shopify\nendpoint: {served.url}\n"
    text = text.replace("SHOPIFY_", f"{prefix}_").replace("connector: shopify\n", head, 1)
    feeds = "".join(f"  {feed}:\n" for feed in FEEDS)
    (root / "couriers" / f"{name}.yaml").write_text(f"{text}feeds:\n{feeds}", "utf-8")
    with (root / ".env").open("a", encoding="utf-8") as file:
        file.write(f"{prefix}_STORE={name.replace('_', '-')}\n")
        file.write(f"{prefix}_ACCESS_TOKEN={served.credentials['SHOPIFY_ACCESS_TOKEN']}\n")
