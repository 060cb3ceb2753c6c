"""Fetches a request: pages of root records with everything below them, into the raw streams."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from courier import clock
from courier.clock import rfc3339
from courier.connectors.contract import Fetching, Progress, Waiting
from courier.connectors.shopify import cost
from courier.connectors.shopify.chain import (
    Place,
    Scope,
    begin,
    parsed,
    place_from,
    whole_filter,
)
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import (
    Connection,
    Field,
    connections,
    drain_document,
    layout,
    page_document,
    record_document,
)
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.paging import Connected, Limits, Sizes, Step, count, walk
from courier.connectors.shopify.records import OpenEnd, Record, below, lines_of, open_ends, page_of
from courier.errors import Incomplete
from courier.storage.raw import Layout, RawWriter, read_manifest

VERSION_TRIES = 8


@dataclass(frozen=True)
class Versioned:
    """A root record and the instant at which it was read."""

    record: Record
    received: datetime


class Fetch:
    """One request's fetching."""

    def __init__(
        self,
        client: Client,
        planned: Field,
        scope: Scope,
        name: str,
        progress: Progress,
        limits: Limits,
    ) -> None:
        self._client = client
        self._planned = planned
        self._scope = scope
        self._name = name
        self._progress = progress
        self._limits = limits
        self._root = ROOTS[planned.stream]
        self._connections = connections(planned)
        self._most = int(client.budget.maximum or cost.MOST_PER_QUERY)
        self._drains: dict[str, Sizes] = {}
        self._met: dict[Any, Any] = {}  # id -> time of the records of this chain: the next one begins a little earlier

    def into(self, folder: Path) -> None:
        """Pull everything into `folder`, from where an earlier try was cut off. Raises RunFailed."""
        made_of = fingerprint(self._planned, self._scope)
        with open_writer(folder, layout(self._planned), made_of) as writer:
            if writer.complete:
                return
            position = writer.position or self._first_position(made_of)
            place = place_from(position["place"])
            self._tell(writer, position)
            for step in walk(self._sizes(), self._connected(), self._scope, place, self._limits.longest):
                self._write(writer, step)
                if step.place:
                    position = {**position, "place": step.place.as_json()}
                    writer.checkpoint(position)
                self._tell(writer, position)
            writer.finish({"document": made_of, "counted": position["counted"]})

    def _first_position(self, made_of: str) -> Mapping[str, Any]:
        counted = count(self._client, self._root, whole_filter(self._scope))
        return {"document": made_of, "counted": counted, "place": begin(self._scope).as_json()}

    def _tell(self, writer: RawWriter, position: Mapping[str, Any]) -> None:
        self._progress(Fetching(self._name, writer.records, position["counted"]))

    def _connected(self) -> Connected:
        return Connected(self._root.field, partial(page_document, self._planned))

    def _sizes(self) -> Sizes:
        sizes = cost.page_sizes(self._planned, self._most, self._limits.sizes)
        return Sizes(self._client, sizes, partial(cost.cost_of, self._planned))

    def _write(self, writer: RawWriter, step: Step) -> None:
        gathered: dict[str, list[Record]] = {}
        for node in step.nodes:
            if self._met.get(node.get("id"), self) == node.get("updatedAt"):
                continue
            self._met[node.get("id")] = node.get("updatedAt")
            whole = self._whole(Versioned(node, step.received))
            if whole:
                lines = lines_of(self._planned, whole.record, writer.next_record(), rfc3339(whole.received))
                for stream, found in lines.items():
                    gathered.setdefault(stream, []).extend(found)
        for stream, found in gathered.items():
            writer.write(stream, found)
        if step.place and step.place.after is None:
            self._forget_before(step.place)

    def _forget_before(self, place: Place) -> None:
        low = parsed(place.low)
        kept = {id_: time for id_, time in self._met.items() if low and (parsed(time) or low) >= low}
        self._met = kept

    def _whole(self, found: Versioned) -> Versioned | None:
        """The record with every inner connection read to its end under one version; None where it is gone by now."""
        for tries in range(VERSION_TRIES):
            if self._drained(found.record):
                return found
            if tries:
                self._wait(tries)
            again = self._again(found.record)
            if again is None:
                return None
            found = again
        raise Incomplete(
            f"a record of {self._root.field} could not be read whole: it changed at each of {VERSION_TRIES} tries",
            fix="run again when the shop is quieter; nothing was committed",
        )

    def _wait(self, tries: int) -> None:
        seconds = min(10.0, 2.0**tries / 2)
        self._progress(Waiting(seconds, "a record that keeps changing"))
        clock.sleep(seconds)

    def _again(self, record: Record) -> Versioned | None:
        reply = self._client.ask(
            record_document(self._planned), {"id": record["id"]}, 1 + cost.cost_of(self._planned, 1)
        )
        node = reply.data.get("node")
        return Versioned(node, reply.received) if isinstance(node, dict) and node.get("id") else None

    def _drained(self, record: Record) -> bool:
        """Read the record's inner connections to their end; False where its version changed meanwhile."""
        ends = list(open_ends(self._planned, record))
        while ends:
            more = self._drain(record, ends.pop())
            if more is None:
                return False
            ends += more
        return True

    def _drain(self, record: Record, end: OpenEnd) -> list[OpenEnd] | None:
        """Read one connection to its end, and say what is open below its records. None: the version changed."""
        connection, found, cursor = self._connections[end.stream], list[OpenEnd](), end.cursor
        passed = {cursor}
        document = drain_document(self._planned, connection)
        while True:
            variables = {"id": end.holder, "root": record["id"], "after": cursor}
            reply = self._drain_sizes(connection).ask(document, variables)
            if reply.cursor_refused or not _is_of(record, end.holder, reply.data):
                return None
            page = page_of(end.stream, below(connection, reply.data.get("holder")))
            if page.nulls:
                raise Incomplete(f"{end.stream}: the shop answered with records that are null", fix="run again later")
            end.nodes.extend(page.nodes)
            for node in page.nodes:
                found += open_ends(connection.field, node)
            if page.cursor is None:
                return found
            if page.cursor in passed:  # an old page came again: the record is read anew
                return None
            cursor = page.cursor
            passed.add(cursor)

    def _drain_sizes(self, connection: Connection) -> Sizes:
        stream = connection.field.stream
        if stream not in self._drains:
            sizes = cost.page_sizes(connection.field, self._most - 10, self._limits.sizes)
            self._drains[stream] = Sizes(self._client, sizes, partial(cost.drain_cost, connection))
        return self._drains[stream]


def _is_of(record: Record, holder: str, data: Mapping[str, Any]) -> bool:
    """Whether a further page belongs to this very version of the record, and to the holder that was asked for."""
    root, held = data.get("root"), data.get("holder")
    if not isinstance(root, Mapping) or not isinstance(held, Mapping):
        return False
    same = root.get("id") == record.get("id") and root.get("updatedAt") == record.get("updatedAt")
    return same and held.get("id") == holder


def fingerprint(planned: Field, scope: Scope) -> str:
    """What a folder's records were asked with: another document or another filter begins it anew."""
    asked = f"{page_document(planned, scope.sort)} {whole_filter(scope)}"
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def open_writer(folder: Path, wanted: Layout, made_of: str) -> RawWriter:
    """The folder's writer, empty where what lies there was asked for with another document."""
    manifest = read_manifest(folder)
    if manifest and made_of != (manifest.claims if manifest.complete else manifest.position or {}).get("document"):
        for path in folder.glob("*.jsonl"):
            path.unlink()
    return RawWriter(folder, wanted)
