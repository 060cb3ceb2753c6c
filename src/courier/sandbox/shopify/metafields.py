"""Metafields of any record, made up from its id when they are asked for."""

from __future__ import annotations

from typing import Any

from courier.sandbox.history.options import pick, roll_for
from courier.sandbox.shopify.paging import Key, Many
from courier.sandbox.shopify.values import Node, gid, instant

FIRST_METAFIELD = 27_000_000_000_000
KINDS = (
    ("custom", "care", "single_line_text_field", "Wash at 30° 🧺"),
    ("custom", "score", "number_integer", "42"),
    ("loyalty", "tier", "json", '{"tier":"gold","since":"2025-01-01"}'),
    ("custom", "ratio", "number_decimal", "0.125"),
)


class Metafields:
    """The connection `metafields(namespace:, keys:)` of one record."""

    __slots__ = ("at", "owner", "owner_id")

    def __init__(self, owner: str, owner_id: int, at: int) -> None:
        self.owner = owner
        self.owner_id = owner_id
        self.at = at

    def __call__(
        self, info: object, namespace: str | None = None, keys: list[str] | None = None, **arguments: Any
    ) -> Node:
        rows = [row for row in self._rows() if namespace in (None, row["namespace"]) and _wanted(row, keys)]
        return Many(rows, lambda row: row, _key)(info, **arguments)

    def _rows(self) -> list[Node]:
        roll = roll_for(self.owner_id, self.owner, self.owner_id)
        if roll() < 0.5:
            return []
        first = FIRST_METAFIELD + self.owner_id % 10**10 * 4
        chosen = dict.fromkeys(pick(roll, range(len(KINDS))) for _ in range(3))
        return [_node(first + kind, kind, self.at) for kind in sorted(chosen)]


def metafields(owner: str, owner_id: int, at: int) -> Metafields:
    return Metafields(owner, owner_id, at)


def _wanted(row: Node, keys: list[str] | None) -> bool:
    return keys is None or row["key"] in keys or f"{row['namespace']}.{row['key']}" in keys


def _key(row: Node) -> Key:
    return int(row["legacyResourceId"]), int(row["legacyResourceId"])


def _node(identity: int, kind: int, at: int) -> Node:
    namespace, key, type_name, value = KINDS[kind]
    return {
        "__typename": "Metafield",
        "id": gid("Metafield", identity),
        "legacyResourceId": str(identity),
        "namespace": namespace,
        "key": key,
        "type": type_name,
        "value": value,
        "compareDigest": f"{identity:032x}",
        "createdAt": instant(at),
        "updatedAt": instant(at),
    }
