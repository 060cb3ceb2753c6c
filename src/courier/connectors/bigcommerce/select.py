"""What the domain tables ask for, and nothing else, of a record as it came. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.connectors.bigcommerce.roots import ROOTS, Root
from courier.connectors.contract import Request
from courier.storage.selection import Node, identity_of, select


def asked_of(request: Request) -> Node:
    """The fields of a request's root record that its feeds, and their parents, read."""
    tables = [feed.table for feed in request.feeds]
    tables += [identity_of(table) for table in request.parents.values()]
    return select(tables).get(request.root, Node())


def children_of(request: Request) -> tuple[str, ...]:
    """The streams below the root that the request's feeds want, in the root's order."""
    wanted = {".".join(names) for feed in request.feeds for names in feed.table.rows.lists[:1]}
    return tuple(child for child in ROOTS[request.root].children if child in wanted)


def own_fields(node: Node, root: Root) -> Node:
    """The fields of a root's own line, without the streams below it."""
    return Node(fields={name: child for name, child in node.fields.items() if name not in root.children})


def pruned(value: Any, node: Node) -> Any:
    """The value with the fields of the node alone; of JSON, and of what has no fields, everything."""
    if node.is_json or not node.fields:
        return value
    if isinstance(value, list):
        return [pruned(one, node) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {name: pruned(value[name], child) for name, child in node.fields.items() if name in value}
