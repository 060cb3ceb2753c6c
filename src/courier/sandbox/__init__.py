"""A local, made-up shop that answers as the SaaS APIs do. It imports no connector.

Importing this costs nothing: the servers and the generator are imported by the functions that need them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.sandbox.history.options import Options
    from courier.sandbox.server import Sandbox
    from courier.sandbox.shop import Shop
    from courier.sandbox.shopify.service import Settings
    from courier.sandbox.telling import Books, TableChange, TableTruth


def open_shop(folder: Path | None = None, options: Options | None = None) -> Shop:
    """The shop kept in `folder` (`shop.json`), made anew at the present second if there is none.

    Without a folder it lives in memory. Raises UsageError when the folder's shop was made with other options.
    """
    from courier.sandbox.shop import Shop

    return Shop.open(folder, options)


def open_store(shop: Shop, name: str) -> Shop:
    """The small shop of one of many stores, beside the main one."""
    from courier.sandbox.stores import open_store as open_beside

    return open_beside(shop, name)


def serve(shop: Shop, port: int = 0, settings: Settings | None = None, stores: Iterable[str] = ()) -> Sandbox:
    """A server to use as a context manager, on 127.0.0.1 and any free port (`url`, `credentials`, `faults`).

    stores: the names of small shops beside it, each with tokens of its own: `sandbox.credential("shopify", name)`.
    """
    from courier.sandbox.server import Sandbox

    return Sandbox(shop, port, settings, stores)


def change(shop: Shop, orders: int = 50, sources: Iterable[str] = ("shopify",)) -> list[TableChange]:
    """Change the shop, now: about `orders` orders edited or added, and some customers and products with them.

    Returns, per domain table of these sources, how many rows are inserted, updated and deleted. Raises UsageError for
    a source that the sandbox does not have, and changes nothing then.
    """
    from courier.sandbox.telling import change as change_and_compare

    return change_and_compare(shop, orders, [_books(source) for source in sources])


def truth(shop: Shop, tables: Iterable[str] = (), source: str = "shopify") -> list[TableTruth]:
    """What the source's shipped courier should hold: per domain table its rows and their hash. `tables`: others, as
    `order_metafield`. Raises UsageError for a source that the sandbox does not have, or a table."""
    from courier.sandbox.telling import truth as tell

    return tell(shop, _books(source), tables)


def _books(source: str) -> Books:
    if not Path(__file__).with_name(source).joinpath("truth.py").is_file():
        raise no_side(source)
    books: Books = import_module(f"courier.sandbox.{source}.truth").BOOKS
    return books


def no_side(source: str) -> UsageError:
    """The sandbox is asked for a source that it does not imitate."""
    return UsageError(
        f"the sandbox has no {source}",
        fix="Leave its couriers out of what is tried there: courier run --courier NAME --sandbox runs one of another.",
    )
