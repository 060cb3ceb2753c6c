"""The project that this repository ships, and requests made of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from courier.clock import Interval
from courier.config.load import load_project
from courier.config.paths import parse_source
from courier.config.project import Column, ColumnType, Courier, DomainTable, Feed, Project
from courier.connectors.contract import Request, without
from courier.storage.load import ColumnStatus

ROOT = Path(__file__).parents[3]


@cache
def project() -> Project:
    loaded = load_project(ROOT)
    assert loaded.project, loaded.problems
    return loaded.project


def courier() -> Courier:
    return project().couriers["shopify"]


def request(
    root: str,
    interval: Interval | None = None,
    *,
    feeds: tuple[str, ...] = (),
    statuses: tuple[ColumnStatus, ...] = (),
) -> Request:
    """The request for the shipped feeds of a root record type, or for some of them."""
    known = {feed.name: feed for feed in courier().feeds}
    if not feeds and not any(feed.table.rows.root == root for feed in known.values()):  # of optional feeds only
        known = {name: Feed(name, table) for name, table in project().folders["shopify"].items()}
    chosen = [known[name] for name in feeds] or [feed for feed in known.values() if feed.table.rows.root == root]
    parents = {feed.table.parent: known[feed.table.parent].table for feed in chosen if feed.table.parent}
    pruned = tuple(without(feed, statuses) for feed in chosen)
    return Request(root, root, pruned, parents, interval or Interval(None, None))


def with_column(table: DomainTable, name: str, path: str) -> DomainTable:
    column = Column(name, ColumnType("string"), (parse_source(path, table.rows),))
    return replace(table, columns=(*table.columns, column))


def feed_of(table: DomainTable) -> Feed:
    return Feed(table.name, table)
