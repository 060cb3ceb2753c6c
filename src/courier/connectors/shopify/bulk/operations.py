"""Bulk operations of one shop: submit, look at, find again, and cancel our own.

Every document begins with a comment that says whose it is, which Shopify gives back with the operation. Operations of
others, though of the same app, are never touched.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from courier.connectors.shopify.client import Client
from courier.errors import Incomplete, SourceBusy, SourceRefused

RUN = (
    "mutation BulkRun($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: false) "
    "{ bulkOperation { id status createdAt } userErrors { field message code } } }"
)
# `node` knows operations in every version, `bulkOperation` only from 2026-01 on.
STATUS = (
    "query BulkStatus($id: ID!) { node(id: $id) { ... on BulkOperation { id status errorCode createdAt objectCount "
    "rootObjectCount fileSize url } } }"
)
LIST = (
    "query BulkList($query: String!) { bulkOperations(first: 25, query: $query, sortKey: CREATED_AT, reverse: true) "
    "{ nodes { id status createdAt query } } }"
)
CANCEL = (
    "mutation BulkCancel($id: ID!) { bulkOperationCancel(id: $id) "
    "{ bulkOperation { id status } userErrors { field message } } }"
)
COSTS = {RUN: 10, STATUS: 1, LIST: 60, CANCEL: 10}
RUNNING = frozenset({"CREATED", "RUNNING"})
BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
INSTALLATION = "installation"


@dataclass(frozen=True)
class Marker:
    """Whose an operation is: an installation of courier, a courier of it, a run, and what of it."""

    installation: str
    courier: str
    run: str
    purpose: str = ""

    @property
    def owner(self) -> str:
        return f"# courier {self.installation} {self.courier} "

    @property
    def line(self) -> str:
        return f"{self.owner}{self.run} {self.purpose}"


@dataclass(frozen=True)
class Operation:
    """What Shopify says of an operation. Counts and `size` (bytes) are null until it says them."""

    id: str
    status: str
    created_at: str
    error: str | None = None
    objects: int = 0
    roots: int = 0
    size: int | None = None
    url: str | None = None

    @property
    def is_under_way(self) -> bool:
        return self.status in RUNNING or self.status == "CANCELING"


@dataclass(frozen=True)
class Operations:
    """The operations of the client's shop."""

    client: Client

    def submit(self, document: str, marker: Marker) -> Operation:
        """Start an operation. Raises SourceBusy where all slots are taken, SourceRefused for what Shopify refuses."""
        reply = self.client.ask(RUN, {"query": f"{marker.line}\n{document}"}, COSTS[RUN])
        answer = _mapping(reply.data.get("bulkOperationRunQuery"))
        errors = [_mapping(error) for error in answer.get("userErrors") or ()]
        if any(error.get("code") in BUSY for error in errors):
            raise SourceBusy(
                f"{self.client.host}: every slot for bulk operations is taken",
                fix="run again when the others are done, give the courier a `wait`, or the feed `mode: pages`",
            )
        if errors:
            raise SourceRefused(
                f"{self.client.host} refuses the bulk operation: {errors[0].get('message')}",
                fix="give the feed `mode: pages`, and report this",
            )
        return _operation(_mapping(answer.get("bulkOperation")))

    def status(self, identity: str) -> Operation | None:
        """The operation now; None where the shop does not know it."""
        reply = self.client.ask(STATUS, {"id": identity}, COSTS[STATUS])
        node = _mapping(reply.data.get("node"))
        return _operation(node) if node.get("id") else None

    def find(self, marker: Marker) -> Operation | None:
        """The latest operation with exactly this marker: of a process that died before it could note the id."""
        found = self._listed("operation_type:query", f"{marker.line}\n")
        return self.status(found[0][0]) if found else None

    def cancel_stale(self, marker: Marker) -> list[str]:
        """Cancel the running operations of this courier's other runs; returns their ids."""
        own = self._listed("status:running operation_type:query", marker.owner)
        stale = [identity for identity, query in own if not query.startswith(f"{marker.owner}{marker.run} ")]
        for identity in stale:
            self.client.ask(CANCEL, {"id": identity}, COSTS[CANCEL])
        return stale

    def _listed(self, query: str, beginning: str) -> list[tuple[str, str]]:
        """Id and document of the latest operations whose document begins so, the last one first."""
        nodes = _mapping(self.client.ask(LIST, {"query": query}, COSTS[LIST]).data.get("bulkOperations")).get("nodes")
        found = [(str(_mapping(node).get("id")), str(_mapping(node).get("query"))) for node in nodes or ()]
        return [(identity, document) for identity, document in found if document.startswith(beginning)]


def _operation(node: Mapping[str, Any]) -> Operation:
    if not node.get("id") or not node.get("status"):
        raise Incomplete("the shop answered without the bulk operation", fix="run again later")
    size = node.get("fileSize")
    return Operation(
        id=str(node["id"]),
        status=str(node["status"]),
        created_at=str(node.get("createdAt")),
        error=node.get("errorCode"),
        objects=int(node.get("objectCount") or 0),
        roots=int(node.get("rootObjectCount") or 0),
        size=None if size is None else int(size),
        url=node.get("url"),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def installation_of(state: Path) -> str:
    """What tells this installation of courier from others that use the same app: made once, kept in `state`."""
    path = state / INSTALLATION
    if not path.exists():
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{INSTALLATION}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(8))
        with suppress(FileExistsError):  # another process was sooner
            os.link(draft, path)
        draft.unlink()
    return path.read_text("utf-8")
