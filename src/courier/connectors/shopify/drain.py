"""A root record as its page brought it -> the whole record: every inner connection read to its end, in one version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from courier import clock
from courier.clock import rfc3339
from courier.connectors.contract import Progress, Waiting
from courier.connectors.shopify import cost
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import Connection, Field, connections, drain_document, record_document
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.paging import Limits, Sizes
from courier.connectors.shopify.records import Lines, OpenEnd, Record, below, lines_of, open_ends, page_of
from courier.errors import Incomplete
from courier.storage.raw import RawWriter

VERSION_TRIES = 8


@dataclass(frozen=True)
class Versioned:
    """A root record and the instant at which it was read."""

    record: Record
    received: datetime


class Drain:
    """Makes the root records of one plan whole, and writes their lines."""

    def __init__(self, client: Client, planned: Field, progress: Progress, limits: Limits) -> None:
        self._client = client
        self._planned = planned
        self._progress = progress
        self._limits = limits
        self._root = ROOTS[planned.stream]
        self._connections = connections(planned)
        self._most = int(client.budget.maximum or cost.MOST_PER_QUERY)
        self._drains: dict[str, Sizes] = {}

    def write(self, writer: RawWriter, records: Iterable[Versioned]) -> None:
        """Write the lines of root records, each of them whole; those that are gone by now are left out."""
        gathered: dict[str, list[Record]] = {}
        for found in records:
            lines = self._lines(found, writer.records)
            if lines:
                writer.next_record()
                for stream, added in lines.by_stream.items():
                    gathered.setdefault(stream, []).extend(added)
        for stream, added in gathered.items():
            writer.write(stream, added)

    def _lines(self, found: Versioned, number: int) -> Lines | None:
        lines = lines_of(self._planned, found.record, number, rfc3339(found.received))
        if not lines.is_open:  # nearly always, and then to look for open ends is in vain
            return lines
        whole = self.whole(found)
        return lines_of(self._planned, whole.record, number, rfc3339(whole.received)) if whole else None

    def whole(self, found: Versioned) -> Versioned | None:
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
