"""What a bulk result lacks, by pages: the records of lists that it leaves out, and what changed while it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from courier.connectors.shopify.document import Field, layout, listed_document, newest_document
from courier.connectors.shopify.drain import Drain, Versioned
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.pages import Fetch, fingerprint
from courier.connectors.shopify.paging import Limits, Sizes
from courier.connectors.shopify.records import Record, page_of
from courier.errors import Incomplete
from courier.storage.raw import RawWriter, is_begun, open_writer, read_manifest

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
            listed = Listed(self.client, f"{self.name} {LEFT_OUT}", self.planned, self.progress, self.limits)
            listed.into(writer, {"document": made_of}, [gid_of(self.planned.stream, key) for key in filled])
            writer.finish({"document": made_of})


@dataclass(frozen=True)
class Listed:
    """Root records that are asked for by their ids."""

    client: Client
    name: str
    planned: Field
    progress: Progress
    limits: Limits

    def into(self, writer: RawWriter, position: Mapping[str, Any], identities: Sequence[str]) -> None:
        """Write them, from where the writer stands; each checkpoint is `position` and how many are done."""
        first = (writer.position or {}).get("done", 0)
        for start in range(first, len(identities), AT_ONCE):
            self._write(writer, identities[start : start + AT_ONCE])
            writer.checkpoint({**position, "done": start + AT_ONCE})
            self.progress(Fetching(self.name, writer.records, len(identities)))

    def _write(self, writer: RawWriter, identities: Sequence[str]) -> None:
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
        made, root = created_at(folder), ROOTS[self.planned.stream]
        scope = scope_of(root, Interval(made, None), self.since)
        name, part = f"{self.name} {CHANGED}", folder / CHANGED
        if root.whole_days and self._listed(name, part, made):
            return
        Fetch(self.client, self.planned, scope, name, self.progress, self.limits, newer=made).into(part)

    def _listed(self, name: str, part: Path, made: datetime) -> bool:
        """By id, those that come before `made` when the newest come first. False where they are too many for that.

        A filter that knows whole days only shows, once a day has passed, mostly what has not changed since.
        """
        made_of = f"{fingerprint(self.planned, Scope(made, None))} newest first"
        begun = read_manifest(part) if is_begun(part, made_of) else None
        if begun and begun.complete:
            return True
        identities = begun.position["identities"] if begun and begun.position else self._newest(made)
        if identities is None:
            return False
        with open_writer(part, layout(self.planned), made_of) as writer:
            position = {"document": made_of, "identities": identities}
            Listed(self.client, name, self.planned, self.progress, self.limits).into(writer, position, identities)
            writer.finish({"document": made_of})
        return True

    def _newest(self, made: datetime) -> list[str] | None:
        """The ids of all that changed since, None if there are more than one chain of pages may pass."""
        root = ROOTS[self.planned.stream]
        sizes = Sizes(self.client, self.limits.sizes, lambda size: 2 + cost.growth(size))
        found: list[str] = []
        cursor = None
        while len(found) < self.limits.longest:
            reply = sizes.ask(newest_document(root), {"after": cursor})
            if reply.cursor_refused:
                return None
            page = page_of(root.field, reply.data.get(root.field))
            newer = [str(node.get("id")) for node in page.nodes if (parsed(node.get("updatedAt")) or made) >= made]
            found += newer
            if len(newer) < len(page.nodes) or page.cursor is None:
                return found
            cursor = page.cursor
        return None
