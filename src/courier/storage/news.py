"""What a load would change, and which of its tables come first: looked at before anything is landed or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from courier import clock
from courier.config.project import DomainTable
from courier.storage import contest, families, siblings
from courier.storage.connection import Connection
from courier.storage.load import FeedLoad
from courier.storage.memory import in_enough_memory
from courier.storage.tables import Existing, described, existing, is_empty, target_of
from courier.storage.target import Target
from courier.storage.warehouse import Files, Warehouse


def preview(warehouse: Warehouse, schema: str, loads: Sequence[FeedLoad]) -> set[str]:
    """The feeds whose loads would change something; the others need not be landed. In doubt, a feed has news.

    In Postgres that is every feed that brings something: what is not landed cannot be looked at there.
    """
    something = [load for load in parents_first(loads) if brings(load)]
    if not isinstance(warehouse, Files) or not warehouse.private.exists():
        return {load.feed.name for load in something}
    return in_enough_memory(warehouse, loads, lambda connection: _looked_at(connection, schema, something))


def _looked_at(connection: Connection, schema: str, loads: Sequence[FeedLoad]) -> set[str]:
    tables = existing(connection, schema)
    if ("courier", "domain_table") not in tables:
        return {load.feed.name for load in loads}
    known, kept = described(connection, schema), siblings.keepers(connection, schema, tables)
    targets = [target_of(schema, load, known.get(load.feed.name)) for load in loads]
    offers = [(siblings.kept_by(target, kept), load) for target, load in zip(targets, loads, strict=True)]
    return _with_news(connection, offers, tables)


def _with_news(connection: Connection, offers: Sequence[siblings.Offered], tables: Existing) -> set[str]:
    """A newer parent comes with newer sets, so they are not looked at, which costs 0.07 CPU seconds of a million."""
    news: set[str] = set()
    newer: set[str | None] = set()
    for group in siblings.together(offers):
        target, load = group[0]
        if load.feed.table.parent in newer:
            news |= {load.feed.name for _, load in group}
            continue
        if target.family is not None:
            families.answer(connection, target, load)
        for target, load in group:
            name = load.feed.name
            whole = target.types().keys() <= tables.get((target.schema, name), {}).keys()
            if not whole or offers_news(connection, target, load):
                news.add(name)
            if whole and name in news and load.parent is None and contest.brings_newer(connection, target):
                newer.add(name)
    return news


def brings(load: FeedLoad) -> bool:
    return bool(load.rows or load.sets or load.deletes or load.whole)


def offers_news(connection: Connection, target: Target, load: FeedLoad) -> bool:
    """Looks only at the rows; `answered` must be there. Where there is no news, what the contest decided is left for
    `contest.store`."""
    contest.offer(connection, target, load)
    if is_empty(connection, target.name) and not is_empty(connection, "offered"):
        return True
    if target.family is None:
        contest.bury(connection, target, load)
        return contest.has_news(connection, target, load, absent_until(load))
    return families.has_news(connection, target, load, absent_until(load))


def parents_first(loads: Sequence[FeedLoad]) -> list[FeedLoad]:
    """So that a parent's delete is known before its children's sets compete. Parents' tables are filled in."""
    tables: Mapping[str, DomainTable] = {load.feed.name: load.feed.table for load in loads}
    filled = []
    for load in loads:
        parent = load.parent or tables.get(load.feed.table.parent or "")
        if load.feed.table.parent is not None and parent is None:
            raise ValueError(f"the load of {load.feed.name} does not say what its parent's table is")
        filled.append(replace(load, parent=parent))

    def depth(load: FeedLoad) -> int:
        count, parent = 0, load.feed.table.parent
        while parent is not None and parent in tables and count < len(tables):
            count, parent = count + 1, tables[parent].parent
        return count

    return sorted(filled, key=depth)


def absent_until(load: FeedLoad) -> datetime | None:
    """Up to when absence from the load means deletion; None if it means nothing.

    A record in error may be any row, so then absence proves nothing.
    """
    whole = load.whole or (load.feed.load == "truncate" and load.read > 0)
    return (load.request.until or clock.now()) if whole and not load.errors else None
