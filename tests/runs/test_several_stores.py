"""Two shops in one group: the same tables and views, each in its own schema, and never each other's rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from courier import clock, sandbox
from courier.cli.init import write_project
from courier.cli.project import open_project, opening
from courier.runtime.context import Context
from courier.runtime.group_run import Asked, run_group
from courier.runtime.history import History
from courier.runtime.place import Place
from courier.runtime.result import GroupResult
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox
from courier.storage.inspect import open_published, tables, views
from tests.runs.hurried import Hurried, edit
from tests.runs.tried import TABLES, silent

if TYPE_CHECKING:
    from courier.storage.duck import Connection

STORES = ("shopify_uk", "shopify_us")
TAGGED = ("  quantity: integer", "  quantity: { type: integer, tags: [txn-item/item-quantity] }")
GROUPS = "stores:\n  couriers:\n    shopify_uk:\n    shopify_us:\n"


@dataclass(frozen=True)
class Stores:
    """A project with a courier for each of two shops."""

    root: Path
    served: Mapping[str, Sandbox]

    def point(self, shops: Mapping[str, str]) -> None:
        """Give each courier the credentials, and the address, of a shop: of its own, or of another one."""
        lines = []
        for courier, shop in shops.items():
            name = courier.removeprefix("shopify_").upper()
            text = (self.root / "couriers/template").read_text()
            text = text.replace("SHOPIFY_", f"{name}_").replace(
                "connector: shopify",
                "connector: shopify\n" + (f"domain_tables: shopify\nendpoint: {self.served[shop].url}"),
            )
            (self.root / f"couriers/{courier}.yaml").write_text(text)
            token = self.served[shop].credentials["SHOPIFY_ACCESS_TOKEN"]
            lines += [f"{name}_STORE={shop.replace('_', '-')}", f"{name}_ACCESS_TOKEN={token}"]
        (self.root / ".env").write_text("\n".join(lines) + "\n")

    def run(self) -> GroupResult:
        project, place = open_project(self.root), Place(self.root, sandbox=False)
        with opening(project, place, STORES) as opened:
            return run_group(
                Context(project, place, opened.couriers, silent), project.groups["stores"], Asked(clock.now())
            )

    def hashes(self) -> dict[str, str]:
        with open_published(Place(self.root, sandbox=False).files.published) as connection:
            return {one.table: one.hash for one in tables(connection)}

    def truth(self) -> dict[str, str]:
        return {
            one.table.replace("shopify.", f"{courier}."): one.hash
            for courier, served in self.served.items()
            for one in sandbox.truth(served.shop)
        }


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    root = tmp_path / "project"
    write_project(root)
    (root / "couriers/shopify.yaml").rename(root / "couriers/template")
    shutil.rmtree(root / "activations")  # they read the schema of the courier that is gone
    (root / "courier_groups.yaml").write_text(GROUPS)
    edit(root / "domain_tables/shopify/order_line.yaml", *TAGGED)
    with ExitStack() as running:
        shops = {
            name: sandbox.open_shop(None, Options(seed=seed, customers=15, orders=25, products=4, special=False))
            for seed, name in enumerate(STORES, 1)
        }
        served = {name: running.enter_context(sandbox.serve(shop)) for name, shop in shops.items()}
        made = Stores(root, served)
        made.point({name: name for name in STORES})
        yield made


def test_each_schema_holds_its_own_shop_and_no_other(stores: Stores, hurry: Hurried) -> None:
    """Hash-equal to each shop's truth, also after one of them changed; identities, tags, views and budgets apart.

    With the credentials swapped nothing is loaded (exit 4), and nothing changed.
    """
    assert stores.run().result == "succeeded"
    assert stores.hashes() == stores.truth()
    sandbox.change(stores.served["shopify_us"].shop, 20)
    assert {one.courier: one.result for one in stores.run().couriers} == dict.fromkeys(STORES, "succeeded")
    held = stores.hashes()
    assert held == stores.truth() and len(held) == 2 * TABLES
    assert_apart(stores)
    stores.point(dict(zip(STORES, reversed(STORES), strict=True)))
    refused = hurry.courier(stores.root, ("run", "--group", "stores"), {})
    assert refused.code == 4 and "holds the data of" in refused.err, refused.err
    assert stores.hashes() == held


def assert_together(connection: Connection) -> None:
    """The views over all sources hold both shops' customers with their addresses, items and products: all of them."""
    for view, held in (("customer", ["customer", "customer_address"]), ("order_item", ["order_line"])):
        counted = f"SELECT source, source_table, count(*) FROM semantic.{view} GROUP BY ALL ORDER BY ALL"
        tables_of = [(shop, table) for shop in STORES for table in held]
        rows = [
            connection.execute(f"SELECT count(*) FROM {shop}.{table}").fetchone() or () for shop, table in tables_of
        ]
        assert connection.execute(counted).fetchall() == [(*one, *n) for one, n in zip(tables_of, rows, strict=True)]
    sold = "SELECT source, sum(item_quantity) FROM semantic.order_item GROUP BY 1 ORDER BY 1"
    lines = [connection.execute(f"SELECT sum(quantity) FROM {shop}.order_line").fetchone() or () for shop in STORES]
    assert connection.execute(sold).fetchall() == [(shop, *n) for shop, n in zip(STORES, lines, strict=True)]


def assert_apart(stores: Stores) -> None:
    place = Place(stores.root, sandbox=False)
    with open_published(place.files.published) as connection:
        bound = connection.execute("SELECT schema_name, identity FROM courier.source_identity ORDER BY 1").fetchall()
        assert bound == [(name, str(stores.served[name].shop.identity)) for name in STORES]
        tags = dict(connection.execute("SELECT schema_name, count(*) FROM courier.semantic_tag GROUP BY 1").fetchall())
        assert tags["shopify_uk"] == tags["shopify_us"] > 0 and len(tags) == 2
        both = [f"{name}.{view}" for name in STORES for view in ("customer_cohort", "customer_totals")]
        assert [one.view for one in views(connection) if not one.view.startswith("semantic.")] == both
        for name in STORES:  # the view reads the tables of its own schema
            spent = f"SELECT sum(total_spent) FROM {name}.customer"
            again = f"SELECT sum(total_spent) FROM {name}.customer_totals"
            assert connection.execute(spent).fetchone() == connection.execute(again).fetchone()
        assert_together(connection)
    assert {path.name.split(".")[0] for path in place.budgets.iterdir()} == {"shopify-shopify-uk", "shopify-shopify-us"}
    history = History(place.history)
    assert {name: getattr(history.last(name), "result", None) for name in STORES} == dict.fromkeys(STORES, "succeeded")
