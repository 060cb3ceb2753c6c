"""Fetches a request into the raw streams; what was cut off goes on from its last page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from courier.clock import rfc3339
from courier.connectors.contract import Fetching, Progress, Request
from courier.connectors.klaviyo import lines
from courier.connectors.klaviyo.answers import CursorRefused, NotThere
from courier.connectors.klaviyo.below import Batch, batches, details
from courier.connectors.klaviyo.client import Ask, Client
from courier.connectors.klaviyo.counted import Counting
from courier.connectors.klaviyo.pages import Page, walk
from courier.connectors.klaviyo.roots import Root, filter_of, is_costly, parameters, partitions, streams
from courier.storage.raw import Layout, RawWriter, open_writer, read_manifest
from courier.storage.selection import Node

Record = dict[str, Any]
SEEN = "events"  # of order items: which events were read, with products or without any


@dataclass(frozen=True)
class Wanted:
    """What a request asks for: its root record, the fields, the lists below it, and conditions beside its period."""

    request: Request
    root: Root
    node: Node
    below: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    counting: Counting | None = None

    @property
    def layout(self) -> Layout:
        seen = (SEEN,) if self.root.type == "OrderItem" else ()
        return Layout((self.root.type, *(f"{self.root.type}.{name}" for name in (*self.below, *seen))))

    @property
    def lists(self) -> list[Ask]:
        """One per part of the list; nearly always one."""
        root, costly = self.root, is_costly(self.root, self.node)
        filters = [filter_of(root, self.request.interval, (*part, *self.conditions)) for part in partitions(root)]
        return [Ask(root.operation, parameters(root, self.node, wanted), costly=costly) for wanted in filters]

    @property
    def made_of(self) -> str:
        """What a folder's records were asked with: anything else begins it anew."""
        asked = [ask.parameters for ask in self.lists] if not self.root.counted else str(self.counting)
        return hashlib.sha256(f"{self.root.type} {self.below} {asked}".encode()).hexdigest()[:16]


def wanted_of(
    request: Request, root: Root, node: Node, conditions: Iterable[str] = (), counting: Counting | None = None
) -> Wanted:
    below = tuple(one.name for one in streams(root, [feed.table for feed in request.feeds]))
    return Wanted(request, root, node, below, tuple(conditions), counting)


class Fetch:
    """One request's fetching."""

    def __init__(self, client: Client, wanted: Wanted, progress: Progress) -> None:
        self._client = client
        self._wanted = wanted
        self._progress = progress
        self._made_of = wanted.made_of
        self._root = wanted.root

    def into(self, folder: Path) -> None:
        """Fetch what is not there yet. Raises what Client.ask raises, and Incomplete."""
        with open_writer(folder, self._wanted.layout, self._made_of) as writer:
            if writer.complete:
                return
            try:
                self._go_on(writer, folder)
            except (CursorRefused, NotThere):
                if writer.position is None:
                    raise
                writer.start_over()  # what a killed run left leads nowhere any more
                self._go_on(writer, folder)
            writer.finish({"document": self._made_of})

    def _go_on(self, writer: RawWriter, folder: Path) -> None:
        if self._root.counted:
            self._counted(writer)
        elif self._root.kind == "flat":
            self._flat(writer)
        else:
            self._deep(writer, folder)

    def _checkpoint(self, writer: RawWriter, place: Mapping[str, Any]) -> None:
        writer.checkpoint({"document": self._made_of, **place})
        self._progress(Fetching(self._wanted.request.name, writer.records, None))

    def _flat(self, writer: RawWriter) -> None:
        place = writer.position or {"part": 0, "following": ""}
        for number, ask in enumerate(self._wanted.lists):
            if number < place["part"]:
                continue
            following = place["following"] if number == place["part"] else ""
            for page in walk(self._client, ask, following):
                self._write(writer, page, number)
                done = {"part": number + (not page.following), "following": page.following}
                self._checkpoint(writer, done)

    def _write(self, writer: RawWriter, page: Page, part: int) -> None:
        received, roots = rfc3339(page.received), []
        records = [record for record in page.records if is_past(self._root, record, page.received)]
        if self._root.type == "OrderItem":
            writer.write(f"{self._root.type}.{SEEN}", [{"id": record["id"]} for record in records])
        for resource in records:
            for line in self._lines(resource):
                number = writer.next_record()
                roots.append(lines.root_line(self._with_channel(line, part), number, received))
                if "messages" in self._wanted.below:
                    below = lines.campaign_messages(resource, page.included)
                    writer.write(f"{self._root.type}.messages", lines.child_lines(below, number, resource["id"]))
        writer.write(self._root.type, roots)

    def _lines(self, resource: Record) -> Iterable[Record]:
        if self._root.type == "OrderItem":
            return lines.order_items(resource)
        return [lines.event(resource) if self._root.type == "Event" else lines.plain(resource)]

    def _with_channel(self, line: Record, part: int) -> Record:
        """A campaign does not say its channel: it is that of the filter which found it."""
        if self._root.type != "Campaign":
            return line
        return {**line, "channel": partitions(self._root)[part][0].split("'")[1]}

    def _counted(self, writer: RawWriter) -> None:
        counting = self._wanted.counting
        assert counting is not None, "a report without what it counts"
        done = (writer.position or {"done": 0})["done"]
        for number, (ask, days, dimension) in enumerate(counting.asks):
            if number < done:
                continue
            for found, received in counting.lines(self._client, ask, days, dimension):
                at = rfc3339(received)
                writer.write(self._root.type, [lines.root_line(one, writer.next_record(), at) for one in found])
            self._checkpoint(writer, {"done": number + 1})

    def _deep(self, writer: RawWriter, folder: Path) -> None:
        """Root records one by one, each with requests of its own for what lies below it."""
        done = known_ids(folder, self._root.type) if writer.position else set()
        hand = (writer.position or {}).get("hand")
        if hand:
            self._below(writer, hand["id"], hand)
        for ask in self._wanted.lists:
            for page in walk(self._client, ask):
                for resource in page.records:
                    if resource["id"] not in done:
                        done.add(resource["id"])
                        self._one(writer, resource, rfc3339(page.received))

    def _one(self, writer: RawWriter, resource: Record, received: str) -> None:
        try:
            detail = details(self._client, self._root, self._wanted.node, resource["id"])
            first = next(found := self._batches(resource["id"], ""), None)
        except NotThere:
            return  # it was deleted since the list was read
        line = lines.plain(resource)
        line = {**line, "attributes": {**line["attributes"], **detail}}
        hand = {"id": resource["id"], "record": writer.next_record(), "index": {}, "token": ""}
        writer.write(self._root.type, [lines.root_line(line, hand["record"], received)])
        for batch in _chained(first, found):
            self._add(writer, batch, hand)
        self._checkpoint(writer, {"hand": None})

    def _below(self, writer: RawWriter, identity: str, hand: dict[str, Any]) -> None:
        for batch in self._batches(identity, hand["token"]):
            self._add(writer, batch, hand)
        self._checkpoint(writer, {"hand": None})

    def _batches(self, identity: str, token: str) -> Iterator[Batch]:
        return batches(self._client, self._root, self._wanted.node, self._wanted.below, identity, token)

    def _add(self, writer: RawWriter, batch: Batch, hand: dict[str, Any]) -> None:
        for name, found in batch.records.items():
            first = hand["index"].get(name, 0)
            stream = f"{self._root.type}.{name}"
            writer.write(stream, lines.child_lines(found, hand["record"], hand["id"], first))
            hand["index"][name] = first + len(found)
        if batch.token:
            hand["token"] = batch.token
            self._checkpoint(writer, {"hand": hand})


def is_past(root: Root, record: Mapping[str, Any], now: datetime) -> bool:
    """Whether the time of an event has come: a device with a wrong clock sends events of the future."""
    if root.time != "datetime":
        return True
    at = (record.get("attributes") or {}).get("datetime")
    return not isinstance(at, str) or datetime.fromisoformat(at) <= now


def _chained(first: Batch | None, rest: Iterator[Batch]) -> Iterator[Batch]:
    if first is not None:
        yield first
        yield from rest


def known_ids(folder: Path, stream: str) -> set[str]:
    """The ids of the records that a folder holds."""
    manifest = read_manifest(folder)
    segments = manifest.segments.get(stream, ()) if manifest else ()
    found = set()
    for segment in segments:
        with segment.path.open("rb") as file:
            found |= {str(orjson.loads(line)["id"]) for line in file}
    return found
