"""The proof that a request is whole: the source is counted again, and where that does not settle it, swept by ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from courier import clock
from courier.clock import Interval
from courier.connectors.contract import Reconciled
from courier.connectors.shopify import cost
from courier.connectors.shopify.bulk.lines import Key, gid_of, key_of, read_roots, record_of
from courier.connectors.shopify.bulk.parts import CHANGED
from courier.connectors.shopify.chain import Scope, begin, parsed, whole_filter
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import ids_document, probe_document
from courier.connectors.shopify.graph import Root
from courier.connectors.shopify.paging import Connected, Sizes, count, walk
from courier.errors import Incomplete
from courier.storage.raw import Manifest, read_manifest

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
    moved: int = 0  # of those, how many were seen to have left the period since
    in_bulk: bool = False

    def agrees(self, counted: int | None) -> bool:
        """Whether the source counts what was fetched, before and now. In bulk new ones may have come meanwhile."""
        if counted is None or self.counted is None or counted != len(self.ids) - self.moved:
            return False
        return self.counted <= len(self.ids) if self.in_bulk else self.counted == len(self.ids)


@dataclass(frozen=True)
class Proof:
    """What is to be proven of one request."""

    root: Root
    scope: Scope
    interval: Interval

    def check(self, client: Client, folder: Path) -> Reconciled:
        """Raises Incomplete where records of the period were not fetched."""
        manifest = _whole(self.root, folder)
        fetched = self._in_bulk(manifest, folder) if manifest.layout.is_bulk else self._fetched(manifest)
        counted = count(client, self.root, whole_filter(self.scope))
        if fetched.agrees(counted):
            return Reconciled(counted, len(fetched.ids), fetched.moved, fetched.outside)
        swept, counted = self._sweep(client, len(fetched.ids))
        late = self._late(fetched, swept)
        gone = fetched.ids - swept.keys()
        self._probe(client, sorted(gone, key=str), len(fetched.ids))
        return Reconciled(counted, len(fetched.ids), late + len(gone), fetched.outside)

    def _fetched(self, manifest: Manifest) -> Fetched:
        found = Fetched(counted=manifest.claims.get("counted"))
        for line in _lines(manifest, self.root.type):
            found.ids.add(key_of(self.root.type, str(line.get("id"))))
            found.began = found.began or parsed(line.get("__fetchedAt"))
            found.outside += self._is_outside(line)
        return found

    def _in_bulk(self, manifest: Manifest, folder: Path) -> Fetched:
        """The result's records, put right by what is known to have changed while it was made."""
        claims = manifest.claims
        found = Fetched(counted=claims.get("counted"), began=parsed(claims.get("created_at")), in_bulk=True)
        found.ids = set(read_roots(folder, self.root.type).keys)
        if self.root.whole_days and self.interval != Interval(None, None):
            found.outside = sum(self._is_outside(line) for line in _lines(manifest, self.root.type))
        changed = {
            key_of(self.root.type, str(line.get("id"))): parsed(line.get("updatedAt"))
            for line in _lines(_whole(self.root, folder / CHANGED), self.root.type)
        }
        period = Interval(self.scope.low, self.scope.high)
        within = {key for key, time in changed.items() if _within(period, time)}
        found.moved = len((changed.keys() - within) & found.ids)
        found.ids |= within
        return found

    def _is_outside(self, line: Mapping[str, str]) -> bool:
        return self.scope.searchable and not _within(self.interval, parsed(line.get("updatedAt")))

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
            key_of(self.root.type, str(node.get("id"))): parsed(node.get("updatedAt"))
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
            ids = [gid_of(self.root.type, key) for key in gone[first : first + PROBED_AT_ONCE]]
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


def _whole(root: Root, folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if manifest is None or not manifest.complete:
        raise Incomplete(f"{root.field}: the records were not fetched to their end", fix="run again")
    return manifest


def _within(interval: Interval, time: datetime | None) -> bool:
    if time is None:
        return True
    return (interval.since is None or time >= interval.since) and (interval.until is None or time < interval.until)


def _lines(manifest: Manifest, stream: str) -> Iterator[dict[str, str]]:
    for segment in manifest.segments.get(stream, ()):
        with segment.path.open("rb") as file:
            for line in file:
                yield record_of(line)


def _objects(values: object) -> Iterable[Mapping[str, object]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
