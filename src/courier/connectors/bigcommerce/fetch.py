"""Fetches a request: pages of root records with everything below them, into the raw streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from courier.connectors.bigcommerce import catalogue, orders, people
from courier.connectors.bigcommerce.answers import Record, single
from courier.connectors.bigcommerce.client import Client
from courier.connectors.bigcommerce.families import Family, write
from courier.connectors.bigcommerce.roots import ROOTS, Root
from courier.connectors.bigcommerce.select import asked_of, children_of
from courier.connectors.bigcommerce.walk import Place, Scope, Step, begin, count, walk
from courier.connectors.contract import Fetching, Progress, Request, Stored
from courier.errors import Incomplete
from courier.storage.raw import Layout, RawWriter, open_writer, read_manifest
from courier.storage.selection import Node

REVIEWS = "reviews"  # the folder of a request's part that brings reviews
REVIEWED_AT_ONCE = 25
NO_FEED = ("-",)


@dataclass(frozen=True)
class Fetch:
    """One request's fetching."""

    client: Client
    request: Request
    scope: Scope
    stored: Stored
    progress: Progress

    @property
    def root(self) -> Root:
        return ROOTS[self.request.root]

    @property
    def asked(self) -> Node:
        return asked_of(self.request)

    def into(self, folder: Path) -> None:
        """Pull everything into `folder`, from where an earlier try was cut off. Raises RunFailed."""
        children = tuple(child for child in children_of(self.request) if child != REVIEWS)
        feeds = tuple(feed.name for feed in self.request.feeds if not _is_review(feed.table.rows.lists))
        only = () if len(feeds) == len(self.request.feeds) else feeds or NO_FEED
        layout = Layout((self.root.type, *(f"{self.root.type}.{name}" for name in children)), feeds=only)
        scope = replace(self.scope, params=self._params())
        with open_writer(folder, layout, self._made_of(scope)) as writer:
            if not writer.complete:
                self._pull(writer, scope)
        if only:
            self._reviews(folder)

    def _params(self) -> dict[str, str]:
        """What is to be shown of each record."""
        if self.root.type == "Customer":
            include = people.includes(self.asked)
            return {"include": ",".join(include)} if include else {}
        if self.root.type == "Order" and "products" in children_of(self.request):
            return orders.EMBEDDED
        return catalogue.params(self.asked) if self.root.type == "Product" else {}

    def _made_of(self, scope: Scope) -> str:
        fields = orjson.dumps(_shown(self.asked), option=orjson.OPT_SORT_KEYS)
        asked = f"{self.root.path} {scope.params} {scope.filters(scope.low)} {children_of(self.request)} {fields!r}"
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    def _pull(self, writer: RawWriter, scope: Scope) -> None:
        if self.root.way == "single":
            self._single(writer, scope)
            return
        made_of = self._made_of(scope)
        position: Mapping[str, Any] = writer.position or {
            "document": made_of, "counted": count(self.client, scope), "place": begin(scope).as_json()
        }  # fmt: skip
        self._tell(writer, position["counted"])
        for step in walk(self.client, scope, Place(**position["place"])):
            self._write(writer, step)
            if step.place:
                position = {**position, "place": step.place.as_json()}
                writer.checkpoint(position)
            self._tell(writer, position["counted"])
        writer.finish({"document": made_of, "counted": position["counted"]})

    def _single(self, writer: RawWriter, scope: Scope) -> None:
        reply = self.client.get(self.root.path, scope.params)
        records = reply.body if isinstance(reply.body, list) else [single(self.root.path, reply.body)]
        if not all(isinstance(record, dict) and "id" in record for record in records):
            raise Incomplete(f"{self.root.path}: the store answered with records that have no id")
        write(writer, self.root, self.asked, [Family(record, reply.received) for record in records])
        writer.finish({"document": self._made_of(scope), "counted": len(records)})

    def _write(self, writer: RawWriter, step: Step) -> None:
        write(writer, self.root, self.asked, self._families(step.records, step))

    def _families(self, records: list[Record], step: Step) -> Iterator[Family]:
        wanted = children_of(self.request)
        if self.root.type == "Order":
            return orders.families(self.client, records, step.received, wanted, self.progress)
        if self.root.type == "Customer":
            include = people.includes(self.asked)
            return people.families(self.client, records, step.received, wanted, include, self.progress)
        if "variants" in wanted:
            return catalogue.with_variants(self.client, records, step.received)
        return iter([Family(record, step.received) for record in records])

    def _tell(self, writer: RawWriter, expected: int | None) -> None:
        self.progress(Fetching(self.request.name, writer.records, expected))

    def _reviews(self, folder: Path) -> None:
        """The part with reviews: of every product, or of those where what they say of their reviews has moved.

        A product may say so without having changed otherwise: then its own row comes with its reviews.
        """
        some = self.scope.low is not None
        feeds = tuple(
            feed
            for feed in self.request.feeds
            if _is_review(feed.table.rows.lists) or (some and not feed.table.rows.lists)
        )
        layout = Layout(("Product", "Product.reviews"), feeds=tuple(feed.name for feed in feeds))
        asked = asked_of(replace(self.request, feeds=feeds))
        scope = replace(self.scope, params=catalogue.params(asked))
        made_of = self._made_of(scope)
        with open_writer(folder / REVIEWS, layout, made_of) as writer:
            if writer.complete:
                return
            done = (writer.position or {}).get("done", 0)
            left = [identity for identity in self._reviewed(folder) if identity > done]
            for first in range(0, len(left), REVIEWED_AT_ONCE):
                batch = left[first : first + REVIEWED_AT_ONCE]
                write(writer, self.root, asked, catalogue.with_reviews(self.client, batch, scope.params))
                writer.checkpoint({"document": made_of, "done": batch[-1]})
                self.progress(Fetching(f"{self.request.name} reviews", writer.records, None))
            writer.finish({"document": made_of})

    def _reviewed(self, folder: Path) -> list[int]:
        """The products to be asked for their reviews, ascending."""
        if self.scope.low is None:
            return sorted(int(one["id"]) for one in lines(folder, "Product"))
        table = next(feed.table for feed in self.request.feeds if _is_review(feed.table.rows.lists))
        return catalogue.moved(catalogue.ratings(self.client), catalogue.known_ratings(table, self.stored))


def lines(folder: Path, stream: str) -> Iterator[Record]:
    """Every line of a stream. Raises Incomplete for a folder that is not whole."""
    manifest = read_manifest(folder)
    if manifest is None or not manifest.complete:
        raise Incomplete(f"{stream}: the records were not fetched to their end", fix="run again")
    for segment in manifest.segments.get(stream, ()):
        with segment.path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)


def _is_review(lists: tuple[tuple[str, ...], ...]) -> bool:
    return lists == ((REVIEWS,),)


def _shown(node: Node) -> dict[str, Any]:
    return {name: _shown(child) for name, child in node.fields.items()}
