"""What a bulk result lacks, by pages: the records of lists that it leaves out, and what changed while it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from courier.clock import Interval
from courier.connectors.contract import Fetching, Progress
from courier.connectors.shopify import cost
from courier.connectors.shopify.bulk.lines import gid_of, read_roots
from courier.connectors.shopify.chain import Scope, parsed, scope_of
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import Field, layout, listed_document
from courier.connectors.shopify.drain import Drain, Versioned
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.pages import Fetch, fingerprint
from courier.connectors.shopify.paging import Limits
from courier.connectors.shopify.records import Record
from courier.errors import Incomplete
from courier.storage.raw import RawWriter, open_writer, read_manifest

LEFT_OUT, CHANGED = "left_out", "changed"
AT_ONCE = 250


@dataclass(frozen=True)
class LeftOut:
    """The records of the lists that cannot be had in bulk, for the root records that have any.

    planned: the plan of the `feeds` below those lists; their sets carry the version of their own response.
    """

    client: Client
    name: str
    planned: Field
    scope: Scope
    feeds: Sequence[str]
    progress: Progress
    limits: Limits

    def into(self, folder: Path) -> None:
        """From the bulk result in `folder` into a part beside it, from where an earlier try was cut off."""
        made_of = f"{fingerprint(self.planned, self.scope)} {_operation_of(folder)}"
        wanted = replace(layout(self.planned), feeds=tuple(self.feeds))
        with open_writer(folder / LEFT_OUT, wanted, made_of) as writer:
            if writer.complete:
                return
            filled = read_roots(folder, self.planned.stream).filled
            identities = [gid_of(self.planned.stream, key) for key in filled]
            first = (writer.position or {}).get("done", 0)
            for start in range(first, len(identities), AT_ONCE):
                self._write(writer, identities[start : start + AT_ONCE])
                writer.checkpoint({"document": made_of, "done": start + AT_ONCE})
                self.progress(Fetching(f"{self.name} {LEFT_OUT}", writer.records, len(identities)))
            writer.finish({"document": made_of})

    def _write(self, writer: RawWriter, identities: list[str]) -> None:
        drain = Drain(self.client, self.planned, self.progress, self.limits)
        reply = self.client.ask(listed_document(self.planned), {"ids": identities}, 1 + cost.cost_of(self.planned, 1))
        nodes = _nodes(reply.data.get("nodes"), len(identities))
        drain.write(writer, (Versioned(node, reply.received) for node in nodes if node and node.get("id")))


def _nodes(nodes: Any, expected: int) -> list[Record | None]:
    if not isinstance(nodes, list) or len(nodes) != expected:
        raise Incomplete("the shop answered without the records that were asked for by id", fix="run again later")
    return nodes


def _operation_of(folder: Path) -> str:
    manifest = read_manifest(folder)
    return str(manifest.claims.get("operation")) if manifest else ""


def created_at(folder: Path) -> datetime:
    """When the operation whose result lies in `folder` was made."""
    manifest = read_manifest(folder)
    found = parsed(manifest.claims.get("created_at")) if manifest else None
    if found is None:
        raise Incomplete(f"{folder.name}: the bulk operation does not say when it was made", fix="run again later")
    return found


@dataclass(frozen=True)
class Changed:
    """Whole records, by pages, of everything that changed since the operation was made.

    What search does not show yet is in the next request, which reaches back as far as searches lag.
    """

    client: Client
    name: str
    planned: Field
    since: datetime | None
    progress: Progress
    limits: Limits

    def into(self, folder: Path) -> None:
        """Into a part beside the bulk result in `folder`."""
        made = created_at(folder)
        scope = scope_of(ROOTS[self.planned.stream], Interval(made, None), self.since)
        name = f"{self.name} {CHANGED}"
        Fetch(self.client, self.planned, scope, name, self.progress, self.limits, newer=made).into(folder / CHANGED)
