"""Deleted records. BigCommerce keeps no events of them, so that what is known is compared with what is there.

Products are swept at every run: 250 ids to a request. Of other records the store is asked how many there are, and only
where it has fewer than are known are they swept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from courier import clock
from courier.clock import Interval, rfc3339
from courier.config.project import Feed
from courier.connectors.bigcommerce.client import Client
from courier.connectors.bigcommerce.fetch import lines
from courier.connectors.bigcommerce.reconcile import present, shown
from courier.connectors.bigcommerce.roots import ROOTS
from courier.connectors.bigcommerce.walk import Scope, count
from courier.connectors.contract import Stored
from courier.storage.raw import Layout, RawWriter, open_writer

STREAM = "Delete"


def fetch_deletes(client: Client, feeds: Sequence[Feed], interval: Interval, folder: Path, stored: Stored) -> None:
    """Write a line {feed, key, deletedAt} for every record that is stored and gone. Raises as Client.get does."""
    asked = [feed for feed in feeds if ROOTS[feed.table.rows.root].lasting and not feed.table.rows.lists]
    made_of = f"deletes {' '.join(feed.name for feed in asked)} {interval}"
    with open_writer(folder, Layout((STREAM,)), made_of) as writer:
        if writer.complete:
            return
        writer.start_over()
        for feed in asked:
            _write(writer, feed, _gone(client, feed, folder.parent, stored))
        writer.finish({"document": made_of})


def _gone(client: Client, feed: Feed, raw: Path, stored: Stored) -> list[int]:
    """The ids that are stored, and not there any more."""
    scope = Scope(ROOTS[feed.table.rows.root])
    known = {int(row[0]) for row in stored(feed.table.name, feed.table.primary_key[:1])}
    if not known or not _fewer(scope, lambda: count(client, scope), known | _fetched(raw, feed)):
        return []
    there = {identity for identity, _ in shown(client, scope)}
    missing: list[Any] = sorted(known - there)
    # A list that is read by pages may have lost one from sight: each is asked for by its id.
    found = present(client, scope, missing)
    return [identity for identity in missing if identity not in found]


def _fewer(scope: Scope, counted: Callable[[], int], known: set[int]) -> bool:
    return counted() != len(known) if scope.root.type == "Product" else counted() < len(known)


def _fetched(raw: Path, feed: Feed) -> set[int]:
    """The ids that this run has fetched of the same root."""
    root = feed.table.rows.root
    folders = [path for path in raw.iterdir() if path.name == root or path.name.startswith(f"{root}-")]
    return {int(line["id"]) for folder in folders for line in lines(folder, root)}


def _write(writer: RawWriter, feed: Feed, gone: Sequence[int]) -> None:
    now = rfc3339(clock.now())
    writer.write(
        STREAM,
        [
            {
                "__record": writer.next_record(),
                "__fetchedAt": now,
                "feed": feed.name,
                "key": str(identity),
                "deletedAt": now,
            }
            for identity in gone
        ],
    )
