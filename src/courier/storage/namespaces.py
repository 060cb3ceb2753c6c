"""Which namespaces of metafields there are, and which of them are kept: so that a misspelt one is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from courier.storage.connection import Connection
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.load import FeedLoad, NamespaceCount
from courier.storage.target import Target

TABLE = "metafield_namespace"


def settle(connection: Connection, target: Target, load: FeedLoad) -> tuple[tuple[NamespaceCount, ...], bool]:
    """Bring the ledger's namespaces of a metafield table up to date. Returns them, and whether any is different."""
    if not load.feed.table.holds_metafields:
        return (), False
    query = f"SELECT namespace, chosen, stored, seen FROM {LEDGER}.{TABLE} WHERE {target.which} ORDER BY namespace"
    before = tuple(NamespaceCount(*row) for row in connection.execute(query).fetchall())
    stored = dict(connection.execute(f"SELECT namespace, count(*) FROM {target.name} GROUP BY namespace").fetchall())
    now = counted(load, {one.namespace: one.seen for one in before}, stored)
    if now == before:
        return now, False
    connection.execute(f"DELETE FROM {LEDGER}.{TABLE} WHERE {target.which}")
    rows = [[target.schema, target.table.name, one.namespace, one.chosen, one.stored, one.seen] for one in now]
    insert_rows(connection, TABLE, rows)
    return now, True


def counted(load: FeedLoad, before: Mapping[str, int], stored: Mapping[str, int]) -> tuple[NamespaceCount, ...]:
    """Every namespace that is chosen, stored, or was ever seen. A pull of everything forgets what it did not see."""
    chosen = load.feed.namespaces
    known = {} if load.whole else before
    seen = {name: max(known.get(name, 0), load.seen.get(name, 0)) for name in {*known, *load.seen}}
    names = sorted({*chosen, *stored, *seen})
    return tuple(
        NamespaceCount(name, not chosen or name in chosen, stored.get(name, 0), seen.get(name, 0)) for name in names
    )


def notes(courier: str, feed: str, counts: Sequence[NamespaceCount]) -> Iterator[str]:
    """What a person should know: chosen namespaces without a record, and rows that the choice is not true of yet."""
    known = [one for one in counts if one.seen or one.stored]
    for one in counts:
        again = f"courier run --courier {courier} --feed {feed} --all"
        if one.chosen and not one.stored and not one.seen:
            yield f"{feed}: no record in namespace `{one.namespace}`; {_listed(known)}"
        elif one.chosen and not one.stored:
            yield f"{feed}: namespace `{one.namespace}` was seen before it was chosen; to load it: {again}"
        elif one.stored and not one.chosen:
            yield f"{feed}: {one.stored:,} rows of namespace `{one.namespace}` are from before; to drop them: {again}"


def _listed(known: Sequence[NamespaceCount]) -> str:
    if not known:
        return "no metafield was seen at all"
    return "the shop has " + ", ".join(f"{one.namespace} ({max(one.seen, one.stored):,})" for one in known)
