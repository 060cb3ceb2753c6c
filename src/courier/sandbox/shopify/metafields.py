"""Metafields of any record as GraphQL nodes, made when they are asked for."""

from __future__ import annotations

from typing import Any

from courier.sandbox.history.metafields import metafield_rows
from courier.sandbox.history.rows import MetafieldRow
from courier.sandbox.shopify.paging import Key, Many
from courier.sandbox.shopify.values import Node, gid, instant


class Metafields:
    """The connection `metafields(namespace:, keys:)` of one record."""

    __slots__ = ("created_at", "owner", "owner_id", "updated_at")

    def __init__(self, owner: str, owner_id: int, created_at: int, updated_at: int) -> None:
        self.owner = owner
        self.owner_id = owner_id
        self.created_at = created_at
        self.updated_at = updated_at

    def __call__(
        self, info: object, namespace: str | None = None, keys: list[str] | None = None, **arguments: Any
    ) -> Node:
        rows = metafield_rows(self.owner, self.owner_id, self.created_at, self.updated_at)
        wanted = [row for row in rows if namespace in (None, row.namespace) and _wanted(row, keys)]
        return Many(wanted, _node, _key)(info, **arguments)


def metafields(owner: str, owner_id: int, created_at: int, updated_at: int) -> Metafields:
    return Metafields(owner, owner_id, created_at, updated_at)


def _wanted(row: MetafieldRow, keys: list[str] | None) -> bool:
    return keys is None or row.key in keys or f"{row.namespace}.{row.key}" in keys


def _key(row: MetafieldRow) -> Key:
    return row.id, row.id


def _node(row: MetafieldRow) -> Node:
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", row.id),
        "legacyResourceId": str(row.id),
        "namespace": row.namespace,
        "key": row.key,
        "type": row.type,
        "value": row.value,
        "compareDigest": f"{row.id:032x}",
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
    }
