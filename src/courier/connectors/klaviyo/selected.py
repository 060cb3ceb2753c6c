"""What a request's domain tables need of its root record."""

from __future__ import annotations

from courier.connectors.contract import Request
from courier.storage.selection import Node, identity_of, select


def node_of(request: Request) -> Node:
    """Everything that a request's feeds, and the identity of their parents, need of the root record."""
    tables = [feed.table for feed in request.feeds]
    return select([*tables, *map(identity_of, request.parents.values())])[request.root]
