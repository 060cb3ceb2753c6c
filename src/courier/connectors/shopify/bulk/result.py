"""The file of an operation -> the raw streams, in one pass, from where an earlier try was cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from courier import clock
from courier.connectors.contract import Fetching, Progress, Waiting
from courier.connectors.shopify.bulk.lines import Reading, Roots
from courier.connectors.shopify.bulk.operations import Operation
from courier.connectors.shopify.bulk.split import Splitter
from courier.errors import SourceUnreachable
from courier.http import NotOpened, Opened, Traffic, backoff, download
from courier.storage.raw import RawWriter

CHECKPOINT_BYTES = 64 * 1024 * 1024
TRIES = 6  # without a byte of progress
REFUSED = frozenset({401, 403, 404, 410})  # the URL's time is over: another one is asked for

Freshened = Callable[[], str | None]


@dataclass
class Got:
    """What has been taken of the file: bytes in whole lines, and lines."""

    bytes: int = 0
    lines: int = 0


class Download:
    """One operation's file into one writer."""

    def __init__(
        self,
        writer: RawWriter,
        splitter: Splitter,
        operation: Operation,
        document: str,
        name: str,
        progress: Progress,
        traffic: Traffic | None = None,
        lists: Sequence[str] = (),
    ) -> None:
        """`lists`: those that are left out, as `refunds`, of which `roots` tells who has any."""
        self._traffic = traffic or Traffic()
        self._writer = writer
        self._splitter = splitter
        self._lists = lists
        self._operation = operation
        self._document = document
        self._name = name
        self._progress = progress
        position = writer.position or {}
        mine = position.get("operation") == operation.id
        self.got = Got(position["offset"], position["lines"]) if mine else Got()
        if not mine:
            writer.start_over()
        self._noted = self.got.bytes
        self._reading = None if self.got.bytes else Reading(writer.layout.streams[0], lists)

    @property
    def roots(self) -> Roots | None:
        """What the root lines say; None where an earlier process took some of them."""
        return self._reading.roots if self._reading else None

    def run(self, freshened: Freshened) -> Got | None:
        """Take the whole file and note that; None where no URL opens it any more. `freshened` asks for another URL.

        Raises SourceUnreachable where it cannot be got.
        """
        found = self._run(freshened)
        if found:
            self._note()
        return found

    def _run(self, freshened: Freshened) -> Got | None:
        if self.got.bytes and self.got.bytes == self._operation.size:
            return self.got  # an earlier process took the last of it
        url, failed, furthest = self._operation.url, 0, self.got.bytes
        while url is not None:
            self._traffic.requests += 1
            opened = download(url, self.got.bytes)
            if isinstance(opened, Opened):
                problem = self.take(opened)
                if problem is None:
                    return self.got
            elif opened.status == 416 and self.got.bytes:
                return self.got  # nothing follows: what is there is judged by its counts
            else:
                problem = opened
                url = freshened() if opened.status in REFUSED else url
            failed = 1 if self.got.bytes > furthest else failed + 1
            furthest = max(furthest, self.got.bytes)
            if failed >= TRIES and problem.status in REFUSED:
                return None
            self._wait(problem, failed)
        return None

    def take(self, opened: Opened) -> NotOpened | None:
        """Everything that a response has. None: it came to its end."""
        if opened.offset != self.got.bytes:  # the server knows no ranges
            self._start_over()
        rest = b""
        try:
            for chunk in opened.chunks:
                self._traffic.bytes += len(chunk)
                lines = BytesIO(chunk).readlines()  # twice as quick as to split at line ends
                lines[0] = rest + lines[0]
                rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
                self._write(lines)
        except SourceUnreachable as cut_off:
            self._note()
            return NotOpened(cut_off.message)
        if rest:  # the last line of a file need not end
            self._write([rest + b"\n"])
            self.got.bytes -= 1
        return None

    def _start_over(self) -> None:
        self._writer.start_over()
        self.got, self._noted = Got(), 0
        self._reading = Reading(self._writer.layout.streams[0], self._lists)

    def _write(self, lines: list[bytes]) -> None:
        """Whole lines, with their ends."""
        for stream, found in self._splitter.split(lines).items():
            if self._reading and stream == self._writer.layout.streams[0]:
                self._reading.add(found)
            data = b"".join(found)
            self._writer.write_lines(stream, data, len(found))
            self.got.bytes += len(data)
        self.got.lines += len(lines)
        if self.got.bytes - self._noted >= CHECKPOINT_BYTES:
            self._note()

    def _note(self) -> None:
        self._noted = self.got.bytes
        place = {"operation": self._operation.id, "offset": self.got.bytes, "lines": self.got.lines}
        self._writer.checkpoint({"document": self._document, **place})
        self._progress(Fetching(self._name, self._writer.records, self._operation.roots))

    def _wait(self, problem: NotOpened, failed: int) -> None:
        if failed >= TRIES:
            raise SourceUnreachable(
                f"the bulk result could not be downloaded: {problem.what}, {failed} times without progress",
                fix="run again later; nothing was committed",
            )
        seconds = backoff(failed) if problem.retry_after is None else problem.retry_after
        self._progress(Waiting(seconds, f"the download: {problem.what}"))
        clock.sleep(seconds)
        self._traffic.retries += 1
