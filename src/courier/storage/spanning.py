"""The views that span schemas: those of tags, and those over all stores of a courier."""

from __future__ import annotations

from collections.abc import Sequence

from courier.config.project import Fleet, SemanticTag
from courier.config.vocabulary import Vocabulary, vocabulary
from courier.storage import fleet_views, semantic
from courier.storage.connection import Connection, transaction
from courier.storage.entities import SCHEMA
from courier.storage.ledger import LEDGER
from courier.storage.postgres.session import Session
from courier.storage.warehouse import Files, Warehouse, has_ledger, opened


def settle(
    connection: Connection, tags: Vocabulary, version: str | None, fleets: Sequence[Fleet], described: bool
) -> bool:
    """Make, renew and drop them, in the running transaction. Returns whether any is other than before."""
    changed = [fleet_views.settle(connection, fleet, version, described) for fleet in fleets]
    return semantic.settle(connection, tags, version, described) or any(changed)


def put_off(connection: Connection, fleets: Sequence[Fleet]) -> None:
    """Leave them as they are until they are settled next, which then looks at them in any case."""
    if isinstance(connection, Session):  # whoever settles them just now has not seen what is put off here
        connection.locks_until_commit(semantic.LOCK)
    schemas = [SCHEMA, *(fleet.name for fleet in fleets)]
    among = f"schema_name IN ({', '.join('?' * len(schemas))})"
    connection.execute(f"UPDATE {LEDGER}.view SET fingerprint = '' WHERE fingerprint <> '' AND {among}", schemas)


def settle_late(warehouse: Warehouse, tags: Sequence[SemanticTag], version: str, fleets: Sequence[Fleet]) -> None:
    """What was put off, in a transaction of its own."""
    if isinstance(warehouse, Files) and not warehouse.private.exists():
        return
    with opened(warehouse, threads=1) as connection:
        if has_ledger(connection) and _is_put_off(connection, fleets):
            with transaction(connection):
                settle(connection, vocabulary(tuple(tags)), version, fleets, described=True)


def _is_put_off(connection: Connection, fleets: Sequence[Fleet]) -> bool:
    """Whether any was put off, or was never made."""
    query = f"SELECT schema_name, min(fingerprint) FROM {LEDGER}.view GROUP BY schema_name"
    found = dict(connection.execute(query).fetchall())
    return any(not found.get(schema) for schema in (SCHEMA, *(fleet.name for fleet in fleets)))
