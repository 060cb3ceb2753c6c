"""courier sandbox: the made-up shop that the project can be tried on."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import print_json, say
from courier.cli.project import find_root
from courier.cli.table import number, print_table
from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.config.suggestions import did_you_mean
from courier.errors import UsageError
from courier.runtime.place import Place

if TYPE_CHECKING:
    from courier.sandbox.shop import Shop


_store_option = click.option("--courier", metavar="NAME", help="Of this one of many stores: shopify_uk.")
connector_option = click.option(
    "--connector",
    type=click.Choice(sorted(KNOWN_CONNECTORS)),
    default="shopify",
    show_default=True,
    help="Of this source.",
)


@click.group(short_help="The made-up shop: serve it, change it, ask it for the truth.")
def sandbox() -> None:
    """A made-up shop on this machine, as Shopify, BigCommerce, Klaviyo and Mavera show it.

    It is kept in .courier/sandbox of the project.
    """


@sandbox.command(short_help="Serve the shop on loopback until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@project_option
@json_option
def start(port: int, root: Path | None, as_json: bool) -> None:
    """Serve the shop on loopback until Ctrl-C.

    Prints one JSON line with its url and credentials as soon as it is ready, with or without --json. Every store of a
    courier with `stores:` is a small shop of its own, with credentials of its own.
    """
    from courier.config.load import load_project
    from courier.sandbox import open_shop, serve

    project = load_project(find_root(root)).project
    stores = {one.name: one.connector for one in project.couriers.values() if one.fleet} if project else {}
    with serve(open_shop(_folder(root)), port=port, stores=stores) as server:
        told = {name: server.credential(connector, name) for name, connector in stores.items()}
        found = {"url": server.url, "credentials": dict(server.credentials)}
        click.echo(json.dumps({**found, "stores": told} if stores else found))
        say("the sandbox is ready; Ctrl-C ends it")
        threading.Event().wait()  # joining the thread here makes Ctrl-C print its traceback


@sandbox.command(short_help="Change the shop, so that a run has something to do.")
@click.option(
    "--orders", type=click.IntRange(min=1), default=50, show_default=True, help="How many orders change or come in."
)
@connector_option
@_store_option
@project_option
@json_option
def change(orders: int, connector: str, courier: str | None, root: Path | None, as_json: bool) -> None:
    """Change the shop, so that an incremental run has something to do, and say which rows that run must change.

    The shop changes for every source. --connector says whose tables are told of.
    """
    from courier.sandbox import change as change_shop

    changed = change_shop(_shop(root, courier), orders, [connector])
    if as_json:
        print_json({"version": 1, "sandbox": True, "tables": [asdict(one) for one in changed]})
        return
    counters = ["inserted", "updated", "deleted"]
    rows = [[one.table, *(number(getattr(one, name)) for name in counters)] for one in changed]
    print_table(["table", *counters], rows, right=counters)
    next_run = "--group shopify" if connector == "shopify" else f"--courier {connector}"
    say(f"next: courier run {next_run} --sandbox")


@sandbox.command(short_help="What the tables should hold: rows and hashes.")
@connector_option
@click.option("--table", "wanted", multiple=True, help="This one, also of an optional feed: order_metafield.")
@_store_option
@project_option
@json_option
def truth(connector: str, wanted: tuple[str, ...], courier: str | None, root: Path | None, as_json: bool) -> None:
    """What the shipped couriers should hold: rows and hash of each table, from the shop's own books.

    `courier tables --hash --sandbox` says what they do hold.
    """
    from courier.sandbox import truth as truth_of

    found = truth_of(_shop(root, courier), wanted, connector)
    if as_json:
        print_json({"version": 1, "sandbox": True, "tables": [asdict(one) for one in found]})
        return
    print_table(["table", "rows", "hash"], [(one.table, number(one.rows), one.hash) for one in found], right=["rows"])
    say("compare: courier tables --hash --sandbox")


def _shop(root: Path | None, courier: str | None) -> Shop:
    """The made-up shop, or that of one store. Raises UsageError for a courier that is none of many stores."""
    from courier.config.load import load_project
    from courier.sandbox import open_shop, open_store

    main = open_shop(_folder(root))
    if courier is None:
        return main
    project = load_project(find_root(root)).project
    known = [name for name, one in project.couriers.items() if one.fleet] if project else []
    if courier not in known:
        raise UsageError(f"{courier!r} is no courier of one of many stores", fix=did_you_mean(courier, known))
    return open_store(main, courier)


def _folder(root: Path | None) -> Path:
    return Place(find_root(root), sandbox=True).state
