"""Fetches a request: pages of root records with everything below them, into the raw streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from courier.connectors.contract import Fetching, Progress
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
from courier.connectors.shopify.document import Field, layout, page_document
from courier.connectors.shopify.drain import Drain, Versioned
from courier.connectors.shopify.graph import ROOTS
from courier.connectors.shopify.paging import Connected, Limits, Sizes, Step, count, walk
from courier.connectors.shopify.records import Record
from courier.storage.raw import RawWriter, open_writer


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
        counted: int | None = None,
        newer: datetime | None = None,
    ) -> None:
        """`counted`: how many root records the source says there are, where it was asked already.

        `newer`: records that last changed before this are left out, though the scope's filter, which is coarser, shows
        them.
        """
        self._newer = newer
        self._client = client
        self._counted = counted
        self._planned = planned
        self._scope = scope
        self._name = name
        self._progress = progress
        self._limits = limits
        self._root = ROOTS[planned.stream]
        self._most = int(client.budget.maximum or cost.MOST_PER_QUERY)
        self._drain = Drain(client, planned, progress, limits)
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
        counted = self._counted
        if counted is None:
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
        self._drain.write(writer, (Versioned(node, step.received) for node in self._news(step.nodes)))
        if step.place and step.place.after is None:
            self._forget_before(step.place)

    def _news(self, nodes: Iterable[Record]) -> Iterator[Record]:
        for node in nodes:
            if self._met.get(node.get("id"), self) != node.get("updatedAt") and not self._is_older(node):
                self._met[node.get("id")] = node.get("updatedAt")
                yield node

    def _is_older(self, node: Record) -> bool:
        time = parsed(node.get("updatedAt")) if self._newer else None
        return time is not None and self._newer is not None and time < self._newer

    def _forget_before(self, place: Place) -> None:
        low = parsed(place.low)
        kept = {id_: time for id_, time in self._met.items() if low and (parsed(time) or low) >= low}
        self._met = kept


def fingerprint(planned: Field, scope: Scope) -> str:
    """What a folder's records were asked with: another document or another filter begins it anew."""
    asked = f"{page_document(planned, scope.sort)} {whole_filter(scope)}"
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
