"""Child tables whose sets come together: the versions of their parents are looked up, and kept, once for all of them.

The five child tables of a million orders would be five million rows of `courier.parent_version` otherwise, and each
run would look its orders up five times. Where tables part (a set of one is held, or a run loads one alone), each part
takes a copy of the versions along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from courier.storage.connection import Connection
from courier.storage.duck import text
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.load import FeedLoad
from courier.storage.tables import Existing, Prepared, is_empty
from courier.storage.target import Target

Keepers: TypeAlias = Mapping[str, str]
"""Child table -> the table under whose name `courier.parent_version` has its sets, where that is another one."""
Offered: TypeAlias = tuple[Target, FeedLoad]
"""What a feed brings, and where to."""


def keepers(connection: Connection, schema: str, tables: Existing) -> dict[str, str]:
    """As the ledger has them. `tables`: those that are there."""
    if ("courier", "shared_version") not in tables:
        return {}
    query = f"SELECT table_name, kept_by FROM {LEDGER}.shared_version WHERE schema_name = ? ORDER BY table_name"
    return dict(connection.execute(query, [schema]).fetchall())


def kept_by(target: Target, known: Keepers) -> Target:
    """The target, its family knowing where its versions are."""
    if target.family is None or target.table.name not in known:
        return target
    return replace(target, family=replace(target.family, keeper=known[target.table.name]))


def placed(prepared: Mapping[str, Prepared], known: Keepers) -> dict[str, Prepared]:
    return {feed: replace(one, target=kept_by(one.target, known)) for feed, one in prepared.items()}


def together(offers: Iterable[Offered]) -> Iterator[list[Offered]]:
    """The offers in their order, but those whose sets come and are kept together as one list."""
    groups: dict[tuple[str, ...], list[Offered]] = {}
    for target, load in offers:
        key = (target.family.versions, *_sets_of(load)) if target.family and load.sets else (load.feed.name,)
        groups.setdefault(key, []).append((target, load))
    yield from groups.values()


def _sets_of(load: FeedLoad) -> tuple[str, str]:
    """What is the same for tables that are brought the same sets."""
    return load.sets, load.parent.name if load.parent else ""


def settle(
    connection: Connection, schema: str, known: Keepers, loads: Sequence[FeedLoad], prepared: Mapping[str, Prepared]
) -> dict[str, str]:
    """Part the tables that this run does not bring together, join those that begin together. Returns who keeps."""
    found = dict(known)
    for name in (name for name, one in prepared.items() if one.renewed):
        found = _forgotten(connection, schema, found, name)
    brought = {load.feed.name: _sets_of(load) for load in loads if load.sets}
    for keeper in sorted(set(found.values())):
        members = [keeper, *(name for name, kept in found.items() if kept == keeper)]
        if brought.keys() & {*members}:
            found = _parted(connection, schema, found, list(_alike(members, brought)))
    alone = [name for name in brought if name not in found and name not in found.values()]
    for first, *others in _alike(alone, brought):
        targets = [prepared[name].target for name in (first, *others)]
        if others and all(_never_had_sets(connection, one) for one in targets):
            found |= dict.fromkeys(others, first)
    if found != dict(known):
        connection.execute(f"DELETE FROM {LEDGER}.shared_version WHERE schema_name = ?", [schema])
        insert_rows(connection, "shared_version", [[schema, name, keeper] for name, keeper in found.items()])
    return found


def _forgotten(connection: Connection, schema: str, found: Keepers, name: str) -> dict[str, str]:
    """A table that begins anew leaves its siblings; what it has kept for them, the next one keeps."""
    after = {other: keeper for other, keeper in found.items() if other != name}
    heirs = [other for other, keeper in after.items() if keeper == name]
    own = f"{LEDGER}.parent_version {{}} WHERE schema_name = {text(schema)} AND table_name = {text(name)}"
    if heirs:
        connection.execute(f"UPDATE {own.format(f'SET table_name = {text(heirs[0])}')}")
        del after[heirs[0]]
        return after | dict.fromkeys(heirs[1:], heirs[0])
    if name not in found:
        connection.execute(f"DELETE FROM {own.format('')}")
    return after


def _alike(names: Iterable[str], brought: Mapping[str, tuple[str, str]]) -> Iterable[list[str]]:
    """The tables that are brought the same sets; those that the run brings none stay together too."""
    parts: dict[tuple[str, str] | None, list[str]] = {}
    for name in names:
        parts.setdefault(brought.get(name), []).append(name)
    return parts.values()


def _parted(connection: Connection, schema: str, found: Keepers, parts: Sequence[list[str]]) -> dict[str, str]:
    """Every part but the keeper's own, which is the first, gets a copy of the versions under its first table's name."""
    after = dict(found)
    for first, *others in parts[1:]:
        copy_versions(connection, schema, after.pop(first), first)
        after |= dict.fromkeys(others, first)
    return after


def copy_versions(connection: Connection, schema: str, keeper: str, table: str) -> None:
    connection.execute(
        f"""
        INSERT INTO {LEDGER}.parent_version
        SELECT schema_name, {text(table)}, parent, version, fetched_at, deleted FROM {LEDGER}.parent_version
        WHERE schema_name = ? AND table_name = ?
        """,
        [schema, keeper],
    )


def _never_had_sets(connection: Connection, target: Target) -> bool:
    if target.family is None or not is_empty(connection, target.name):
        return False
    return is_empty(connection, f"{LEDGER}.parent_version WHERE {target.family.versions}")
