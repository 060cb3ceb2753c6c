"""What earlier runs committed, for connectors whose source does not say what moved or is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from courier.storage.duck import quote
from courier.storage.tables import existing
from courier.storage.warehouse import PRIVATE, Warehouse, reading


def stored_rows(warehouse: Warehouse, schema: str, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """These columns of every row of a domain table; none where it, or one of them, is not there yet."""
    with reading(warehouse, threads=1) as connection:
        if connection is None or not {*columns} <= existing(connection, schema).get((schema, table), {}).keys():
            return []
        wanted = ", ".join(quote(name) for name in columns)
        name = f"{PRIVATE}.{quote(schema)}.{quote(table)}"
        return connection.execute(f"SELECT {wanted} FROM {name}").fetchall()
