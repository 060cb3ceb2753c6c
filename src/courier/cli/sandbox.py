"""courier sandbox: the made-up shop that the project can be tried on."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import print_json, print_table, say
from courier.cli.project import find_root
from courier.runtime.place import Place


@click.group()
def sandbox() -> None:
    """A made-up Shopify shop on this machine: the same people, orders and products every time."""


@sandbox.command()
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@project_option
def start(port: int, root: Path | None) -> None:
    """Serve the shop on loopback until Ctrl-C. Prints one line with its url and credentials."""
    from courier.sandbox import open_shop, serve

    with serve(open_shop(_folder(root)), port=port) as server:
        click.echo(json.dumps({"url": server.url, "credentials": dict(server.credentials)}))
        say("the sandbox is ready; Ctrl-C ends it")
        threading.Event().wait()


@sandbox.command()
@click.option("--orders", default=50, show_default=True, help="How many orders change or come in.")
@project_option
@json_option
def change(orders: int, root: Path | None, as_json: bool) -> None:
    """Change the shop, so that an incremental run has something to do."""
    from courier.sandbox import change as change_shop
    from courier.sandbox import open_shop

    changed = change_shop(open_shop(_folder(root)), orders=orders)
    if as_json:
        print_json({"version": 1, "tables": [asdict(one) for one in changed]})
        return
    columns = ["table", "inserted", "updated", "deleted"]
    print_table(columns, [[getattr(one, name) for name in columns] for one in changed], right=columns[1:])
    say("next: courier run --group shopify --sandbox")


@sandbox.command()
@project_option
@json_option
def truth(root: Path | None, as_json: bool) -> None:
    """What the shipped couriers should hold: rows and hash of each table, from the shop's own books."""
    from courier.sandbox import open_shop
    from courier.sandbox import truth as truth_of

    found = truth_of(open_shop(_folder(root)))
    if as_json:
        print_json({"version": 1, "tables": [asdict(one) for one in found]})
        return
    print_table(["table", "rows", "hash"], [(one.table, one.rows, one.hash) for one in found], right=["rows"])


def _folder(root: Path | None) -> Path:
    return Place(find_root(root), sandbox=True).state
