"""One bulk operation: what it is, and what it says of itself at an instant of the shop's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from courier.sandbox.shopify.bulk.files import File, Progress
from courier.sandbox.shopify.values import Node, gid, instant

FINAL = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})
URL_SECONDS = 7 * 86_400


@dataclass
class Told:
    """The counts that an operation tells, which a fault may falsify."""

    objects: int
    roots: int
    size: int


@dataclass
class Operation:
    """Made by a `bulkOperationRunQuery`. Instants are seconds since 1970 by the shop's clock.

    It takes `seconds` and ends as `outcome`, but not before its file is `written`. With 0 seconds it is CREATED in the
    answer that made it and done in every later one. `foreign` ones are not this client's, though of the same app.
    """

    number: int
    query: str
    created: float
    seconds: float = 0.0
    outcome: str = "COMPLETED"
    error: str | None = None
    foreign: bool = False
    file: File | None = None
    partial: File | None = None
    told: Told | None = None
    progress: Progress = field(default_factory=Progress)
    written: bool = True
    canceling_at: float | None = None
    cancel_seconds: float = 0.0
    ended: float | None = None

    @property
    def id(self) -> str:
        return gid("BulkOperation", self.number)

    @property
    def key(self) -> tuple[int | str, int]:
        return int(self.created), self.number

    def status(self, now: float) -> str:
        if self.canceling_at is not None:
            return "CANCELED" if now >= self.canceling_at + self.cancel_seconds else "CANCELING"
        elapsed = now - self.created
        if elapsed >= self.seconds and self.written:
            return self.outcome
        return "RUNNING" if elapsed > 0 or not self.written else "CREATED"

    def occupies(self, now: float) -> bool:
        """Whether it takes one of the app's slots."""
        return self.status(now) not in FINAL

    def cancel(self, now: float, seconds: float) -> None:
        self.canceling_at, self.cancel_seconds = now, seconds

    def fail(self) -> None:
        """End it as a server does that could not write the file."""
        self.outcome, self.error, self.written = "FAILED", "INTERNAL_SERVER_ERROR", True

    def finished(self, now: float) -> float | None:
        """When it ended, once it has."""
        if self.occupies(now):
            return None
        if self.canceling_at is not None:
            return self.canceling_at + self.cancel_seconds
        return max(self.created + self.seconds, self.ended or 0.0)

    def counts(self, now: float) -> tuple[int, int]:
        """Lines, and those of root records, so far."""
        if self.told is None or not self.written:
            return self.progress.objects, self.progress.roots
        share = 1.0 if self.status(now) == self.outcome else self._share(now)
        return int(self.told.objects * share), int(self.told.roots * share)

    def _share(self, now: float) -> float:
        until = self.canceling_at if self.canceling_at is not None else now
        return min(1.0, max(0.0, (until - self.created) / self.seconds)) if self.seconds else 0.0

    def result(self, now: float) -> tuple[File | None, File | None]:
        """The file, and the partial one, that may be downloaded at this instant."""
        status = self.status(now)
        whole = self.file if status == "COMPLETED" and self.file and self.file.objects else None
        return whole, self.partial if status in ("FAILED", "CANCELED") else None

    def fields(self, now: float, url: str | None, partial_url: str | None) -> Node:
        """The operation as a node."""
        status, ended = self.status(now), self.finished(now)
        objects, roots = self.counts(now)
        size = str(self.told.size) if status == "COMPLETED" and self.told and url else None
        return {
            "__typename": "BulkOperation",
            "id": self.id,
            "type": "QUERY",
            "status": status,
            "errorCode": self.error if status == "FAILED" else None,
            "createdAt": instant(int(self.created)),
            "completedAt": instant(int(ended)) if ended is not None else None,
            "objectCount": str(objects),
            "rootObjectCount": str(roots),
            "fileSize": size,
            "query": self.query,
            "url": url,
            "partialDataUrl": partial_url,
        }


def save(path: Path, operations: Iterable[Operation]) -> None:
    """Write operations down, for a server that is started again."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_bytes(orjson.dumps(list(operations), default=str))
    draft.chmod(0o600)
    draft.replace(path)


def load(path: Path) -> list[Operation]:
    """The operations that were written down. One whose file was not written before its server died has failed."""
    try:
        return [_operation(told) for told in orjson.loads(path.read_bytes())]
    except FileNotFoundError:
        return []


def _operation(told: dict[str, Any]) -> Operation:
    for name in ("file", "partial"):
        if told[name] is not None:
            told[name] = File(**{**told[name], "path": Path(told[name]["path"])})
    told["told"] = Told(**told["told"]) if told["told"] is not None else None
    found = Operation(**{**told, "progress": Progress(**told["progress"])})
    if not found.written:
        found.fail()
    return found
