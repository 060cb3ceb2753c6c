"""The proof that a request is whole: the source is counted again, and where that does not settle it, swept by ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import orjson

from courier import clock
from courier.clock import Interval
from courier.connectors.contract import Reconciled
from courier.connectors.shopify import cost
from courier.connectors.shopify.chain import Scope, begin, parsed, whole_filter
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import ids_document, probe_document
from courier.connectors.shopify.graph import Root
from courier.connectors.shopify.paging import Connected, Sizes, count, walk
from courier.connectors.shopify.records import digits
from courier.errors import Incomplete
from courier.storage.raw import Manifest, read_manifest

Key = int | str  # the number of an ordinary gid, which takes least memory, or the gid
PROBED_AT_ONCE = 250
SWEEPS = 3
SECONDS_BETWEEN_SWEEPS = 1.0


@dataclass
class Fetched:
    """What lies in the folder: the records' ids, when reading began, how many lines are outside the interval."""

    ids: set[Key] = field(default_factory=set)
    began: datetime | None = None
    outside: int = 0
    counted: int | None = None


@dataclass(frozen=True)
class Proof:
    """What is to be proven of one request."""

    root: Root
    scope: Scope
    interval: Interval

    def check(self, client: Client, folder: Path) -> Reconciled:
        """Raises Incomplete where records of the period were not fetched."""
        fetched = self._fetched(folder)
        counted = count(client, self.root, whole_filter(self.scope))
        if counted is not None and counted == len(fetched.ids) == fetched.counted:
            return Reconciled(counted, len(fetched.ids), 0, fetched.outside)
        swept, counted = self._sweep(client, len(fetched.ids))
        late = self._late(fetched, swept)
        gone = fetched.ids - swept.keys()
        self._probe(client, sorted(gone, key=str), len(fetched.ids))
        return Reconciled(counted, len(fetched.ids), late + len(gone), fetched.outside)

    def _fetched(self, folder: Path) -> Fetched:
        manifest = read_manifest(folder)
        if manifest is None or not manifest.complete:
            raise Incomplete(f"{self.root.field}: the records were not fetched to their end", fix="run again")
        found = Fetched(counted=manifest.claims.get("counted"))
        for line in _lines(manifest, self.root.type):
            found.ids.add(_key(self.root, str(line.get("id"))))
            found.began = found.began or parsed(line.get("__fetchedAt"))
            found.outside += self.scope.searchable and not _within(self.interval, parsed(line.get("updatedAt")))
        return found

    def _sweep(self, client: Client, fetched: int) -> tuple[dict[Key, datetime | None], int | None]:
        """The ids that the source shows now, and how many it counts. Raises Incomplete where it counts more."""
        for number in range(SWEEPS):
            clock.sleep(number * SECONDS_BETWEEN_SWEEPS)
            swept = self._ids(client)
            counted = count(client, self.root, whole_filter(self.scope))
            if counted is None or counted <= len(swept):
                return swept, counted
        raise Incomplete(
            f"{self.root.field}: the shop counts {counted}, its pages show {len(swept)}, {fetched} were fetched",
            fix="run again later; nothing was committed",
        )

    def _ids(self, client: Client) -> dict[Key, datetime | None]:
        sizes = Sizes(client, cost.PAGE_SIZES, lambda size: 2 + cost.growth(size))
        connected = Connected(self.root.field, partial(ids_document, self.root))
        return {
            _key(self.root, str(node.get("id"))): parsed(node.get("updatedAt"))
            for step in walk(sizes, connected, self.scope, begin(self.scope))
            for node in step.nodes
        }

    def _late(self, fetched: Fetched, swept: Mapping[Key, datetime | None]) -> int:
        """How many records changed after the period, which the next one reads. Any other one is missing."""
        missing = [time for key, time in swept.items() if key not in fetched.ids]
        late = sum(1 for time in missing if time and self._is_late(time, fetched.began))
        if late < len(missing):
            raise Incomplete(
                f"{self.root.field}: {len(missing) - late} of {len(swept)} records in the period were not fetched",
                fix="run again; nothing was committed",
            )
        return late

    def _is_late(self, time: datetime, began: datetime | None) -> bool:
        return time >= (self.scope.high or (began or clock.now()).replace(microsecond=0))

    def _probe(self, client: Client, gone: Sequence[Key], fetched: int) -> None:
        """Records that are no longer shown must have moved out of the period, or be gone."""
        hidden = 0
        for first in range(0, len(gone), PROBED_AT_ONCE):
            ids = [_gid(self.root, key) for key in gone[first : first + PROBED_AT_ONCE]]
            reply = client.ask(probe_document(self.root), {"ids": ids}, cost.PROBE)
            hidden += sum(1 for node in _objects(reply.data.get("nodes")) if self._still_there(node))
        if hidden:
            raise Incomplete(
                f"{self.root.field}: {hidden} of {fetched} fetched records did not move, and are not shown any more",
                fix="run again; nothing was committed",
            )

    def _still_there(self, node: Mapping[str, object]) -> bool:
        time = parsed(str(node.get("updatedAt") or ""))
        return time is not None and _within(Interval(self.scope.low, self.scope.high), time)


def _within(interval: Interval, time: datetime | None) -> bool:
    if time is None:
        return True
    return (interval.since is None or time >= interval.since) and (interval.until is None or time < interval.until)


def _lines(manifest: Manifest, stream: str) -> Iterator[dict[str, str]]:
    for segment in manifest.segments.get(stream, ()):
        with segment.path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)


def _key(root: Root, gid: str) -> Key:
    number = digits(gid)
    return int(number) if number and gid == f"gid://shopify/{root.type}/{int(number)}" else gid


def _gid(root: Root, key: Key) -> str:
    return f"gid://shopify/{root.type}/{key}" if isinstance(key, int) else key


def _objects(values: object) -> Iterable[Mapping[str, object]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
