"""One request's bulk operation, from its submission to the checked streams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from courier import clock
from courier.connectors.contract import Fetching, Progress, Waiting
from courier.connectors.shopify.bulk import stored
from courier.connectors.shopify.bulk.documents import bulk_document, bulk_layout, left_out
from courier.connectors.shopify.bulk.lines import forget_roots, keep_roots, read_roots
from courier.connectors.shopify.bulk.operations import Marker, Operation, Operations
from courier.connectors.shopify.bulk.result import Download, Got
from courier.connectors.shopify.bulk.split import Splitter
from courier.connectors.shopify.bulk.stored import Stored
from courier.connectors.shopify.chain import Scope, whole_filter
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.document import Field
from courier.connectors.shopify.graph import ROOTS
from courier.errors import EndedBadly, Incomplete, SourceBusy, SourceRefused
from courier.storage.raw import RawWriter, open_writer, read_manifest

TRIES = 3  # operations that end badly
DOWNLOADS = 2  # of one result whose counts disagree
POLLS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds between looks; the last one stays
SILENT_SECONDS = 600.0  # without another record, this is told
AGAIN = "run again; nothing was committed"


@dataclass(frozen=True)
class BulkFetch:
    """A request that is fetched in bulk into `folder`. `marker` says whose it is and what it is for."""

    client: Client
    name: str
    planned: Field
    scope: Scope
    folder: Path
    marker: Marker
    progress: Progress

    def begin(self, known: Stored, *, fresh: bool) -> Stored:
        """Start the operation, unless it was. `fresh`: no other process can have started it. Raises SourceBusy."""
        if known.identity:
            return known
        stored.store(self.folder, known)
        marker = replace(self.marker, purpose=f"{self.marker.purpose} {known.made_of} {known.tries}")
        operations = Operations(self.client)
        found = None if fresh else operations.find(marker)
        begun = replace(known, identity=(found or self._submit(operations, marker)).id)
        stored.store(self.folder, begun)
        return begun

    def _submit(self, operations: Operations, marker: Marker) -> Operation:
        document = bulk_document(self.planned, whole_filter(self.scope))
        try:
            return operations.submit(document, marker)
        except SourceBusy:
            # Only one run of a courier is under way: what else of its own runs was left by one that was given up.
            stale = operations.cancel_stale(self.marker)
            if not stale:
                raise
            for identity in stale:
                self._ended(identity, None)
            return operations.submit(document, marker)

    def into_folder(self, known: Stored, *, fresh: bool) -> None:
        """Wait for the operation and take its result. Raises RunFailed: EndedBadly where pages may do."""
        while not self._is_taken(known):
            known = self.begin(known, fresh=fresh)
            ended = self._ended(known.identity or "", known.counted)
            if ended.status == "COMPLETED" and self._take(ended, known):
                return
            if ended.error == "ACCESS_DENIED":
                raise SourceRefused(
                    f"{self.client.host} refuses a field of the bulk operation for {self._what}",
                    fix="grant the app the scopes that its tables need, or give the feed `mode: pages`",
                )
            known, fresh = replace(known, identity=None, tries=known.tries + 1), True
            if known.tries >= TRIES:
                told = ended.error or ended.status
                told = "complete, but no URL opens its result" if told == "COMPLETED" else told
                raise EndedBadly(f"{self._what}: the bulk operation ended as {told}, {known.tries} times", fix=AGAIN)

    @property
    def _what(self) -> str:
        return ROOTS[self.planned.stream].field

    @property
    def _lists(self) -> list[str]:
        """The lists that are left out: `refunds`."""
        return [path.split(".")[1] for path in left_out(self.planned)]

    def _is_taken(self, known: Stored) -> bool:
        manifest = read_manifest(self.folder)
        return bool(manifest and manifest.complete and manifest.claims.get("document") == known.made_of)

    def _ended(self, identity: str, counted: int | None) -> Operation:
        """The operation at its end. As long as it makes progress there is no limit of time; without, that is told."""
        operations = Operations(self.client)
        seen, since, looks = -1, clock.now(), 0
        while True:
            now = operations.status(identity)
            if now is None:
                return Operation(identity, "EXPIRED", "")
            if not now.is_under_way:
                return now
            if now.roots != seen:
                seen, since = now.roots, clock.now()
                self.progress(Fetching(self.name, seen, counted))
            wait = POLLS[min(looks, len(POLLS) - 1)]
            silent = (clock.now() - since).total_seconds()
            state = f"the bulk operation ({now.status.lower()})"
            told = f"{state}, {silent / 60:.0f} minutes without a record" if silent > SILENT_SECONDS else state
            self.progress(Waiting(wait, told))
            clock.sleep(wait)
            looks += 1

    def _take(self, ended: Operation, known: Stored) -> bool:
        """Download and check. False where no URL opens the result any more."""
        wrong = ""
        for _ in range(DOWNLOADS):
            forget_roots(self.folder)
            with self._writer(ended, known, afresh=bool(wrong)) as writer:
                try:
                    got = self._downloaded(writer, ended, known)
                    if got is None:
                        return False
                    wrong = self._disagreement(writer, ended, got)
                except Incomplete as garbled:
                    wrong = garbled.message
                    continue
                if not wrong:
                    counted = {"counted": known.counted, "created_at": ended.created_at, "objects": got.lines}
                    writer.finish({"document": known.made_of, "operation": ended.id, **counted})
                    return True
        raise Incomplete(f"{self._what}: the bulk result is not whole: {wrong}", fix=AGAIN)

    def _writer(self, ended: Operation, known: Stored, *, afresh: bool) -> RawWriter:
        if afresh:
            for path in self.folder.glob("*.jsonl"):
                path.unlink()
        return open_writer(self.folder, bulk_layout(self.planned, ended.created_at), known.made_of)

    def _downloaded(self, writer: RawWriter, ended: Operation, known: Stored) -> Got | None:
        if ended.url is None:
            return Got()
        made_of, traffic = known.made_of, self.client.traffic
        splitter = Splitter(self.planned)
        download = Download(writer, splitter, ended, made_of, self.name, self.progress, traffic, self._lists)
        got = download.run(lambda: self._url(ended.id))
        if got and download.roots:
            keep_roots(self.folder, download.roots)
        return got

    def _url(self, identity: str) -> str | None:
        again = Operations(self.client).status(identity)
        return again.url if again and again.status == "COMPLETED" else None

    def _disagreement(self, writer: RawWriter, ended: Operation, got: Got) -> str:
        """What the shop says of its file and what the file holds, where they are not the same; "" where they are."""
        told = {
            "bytes": (ended.size, got.bytes),
            "objects": (ended.objects, got.lines),
            f"{self._what}": (ended.roots, writer.records),
        }
        for what, (said, found) in told.items():
            if said is not None and said != found:
                return f"the shop says {said:,} {what}, the file has {found:,}"
        different = len(set(read_roots(self.folder, self.planned.stream, self._lists).keys))
        return "" if different == writer.records else f"{writer.records - different:,} {self._what} come twice"
