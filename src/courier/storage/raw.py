"""What a connector fetched, on disk: one folder per request, one file per stream and 64 MB, and a manifest.

A stream is named by its path from the root record: `Order`, `Order.lineItems`, `Order.refunds.refundLineItems`. Its
files hold one JSON object per line. A root line has `__record` (its number in this request, from 0) and `__fetchedAt`
(RFC 3339); a line below has the `__record` of its root, `__parentId` (the `id` of the record one level up) and
`__index` (its position under that parent). Streams hold no nested records of another stream; lists without an id of
their own (tags, discount allocations) stay inside their line.

The lines of a bulk result stay as the source wrote them (`Layout.fetched_at` is set): without `__record`, `__index` and
`__fetchedAt`; a line below has `__parentId` alone, and may come before its parent's.

What one request brought may lie in several parts: its own folder, and folders inside it that have manifests too.

The manifest is what counts: a kill between two checkpoints leaves bytes that the next opening cuts off, and the
connector goes on from the `position` that it left with the last checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from courier.storage.appending import Appender

SEGMENT_BYTES = 64 * 1024 * 1024
MANIFEST = "manifest.jsonl"


@dataclass(frozen=True)
class Layout:
    """How the records of one request lie in streams.

    streams:    their names, the root first
    lists:      fields that hold a list of scalars, as `Order.tags`
    fetched_at: of a bulk result, whose lines say nothing of it (RFC 3339)
    left_out:   lists whose records lie in another part of the request, as `Order.refunds`: of them a root line has
                only enough to see which are empty
    feeds:      the feeds that this part brings; empty: all of the request's
    """

    streams: tuple[str, ...]
    lists: tuple[str, ...] = ()
    fetched_at: str = ""
    left_out: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()

    @property
    def is_bulk(self) -> bool:
        return bool(self.fetched_at)


@dataclass(frozen=True)
class Segment:
    """One file of a stream: `size` in bytes and `lines`, as of the last checkpoint."""

    path: Path
    size: int
    lines: int


@dataclass(frozen=True)
class Manifest:
    """What a request's folder holds. `claims` is what the connector said when it finished, for instance its counts."""

    layout: Layout
    segments: Mapping[str, tuple[Segment, ...]] = field(default_factory=dict)
    position: Mapping[str, Any] | None = None
    records: int = 0
    complete: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)

    def lines(self, stream: str) -> int:
        return sum(segment.lines for segment in self.segments.get(stream, ()))


def read_manifest(folder: Path) -> Manifest | None:
    """The folder's state at its last whole checkpoint, or None if it has none yet."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    entries = [orjson.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    if not entries:
        return None
    layout = _layout_from(entries[0])
    sizes: dict[str, tuple[int, int]] = {}
    last: dict[str, Any] = {"position": None, "records": 0}
    for entry in entries[1:]:
        sizes.update({name: (size, lines) for name, (size, lines) in entry["segments"].items()})
        last = entry
    return Manifest(
        layout=layout,
        segments=_by_stream(folder, layout, sizes),
        position=last["position"],
        records=last["records"],
        complete=last.get("complete", False),
        claims=last.get("claims", {}),
    )


def parts_of(folder: Path) -> list[Path]:
    """The folders in which a request's records lie: its own first, then those inside it that have a manifest."""
    below = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    return [*([folder] if (folder / MANIFEST).exists() else []), *below]


def _layout_from(values: Mapping[str, Any]) -> Layout:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Layout(**fields)


def _by_stream(folder: Path, layout: Layout, sizes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[Segment, ...]]:
    found: dict[str, list[Segment]] = {stream: [] for stream in layout.streams}
    for name in sorted(sizes):
        found[name.rsplit("-", 1)[0]].append(Segment(folder / name, *sizes[name]))
    return {stream: tuple(segments) for stream, segments in found.items() if segments}


class RawWriter:
    """Appends records to streams. Nothing counts until `checkpoint`; opening a folder again resumes at the last one."""

    def __init__(self, folder: Path, layout: Layout, segment_bytes: int = SEGMENT_BYTES) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        manifest = read_manifest(folder)
        if manifest is None or manifest.layout != layout:
            manifest = self._begin(layout)
        self.layout = layout
        self._take_up(manifest)

    def _take_up(self, manifest: Manifest) -> None:
        self._files: dict[str, Appender] = {}
        self._open_segments = {s: list(segments) for s, segments in manifest.segments.items()}
        self._changed: dict[str, Segment] = {}
        self._cut_uncounted(manifest)
        self.position = manifest.position
        self.records = manifest.records
        self.complete = manifest.complete
        self._manifest = self._open(self._folder / MANIFEST)

    def _begin(self, layout: Layout) -> Manifest:
        for path in self._folder.glob("*.jsonl"):
            path.unlink()
        with self._open(self._folder / MANIFEST) as file:
            file.write(orjson.dumps(asdict(layout)) + b"\n")
        return Manifest(layout)

    def _cut_uncounted(self, manifest: Manifest) -> None:
        known = {segment.path: segment.size for found in manifest.segments.values() for segment in found}
        for path in self._folder.glob("*.jsonl"):
            if path.name == MANIFEST:
                _cut_torn_line(path)
            elif path in known:
                os.truncate(path, known[path])
            else:
                path.unlink()

    @staticmethod
    def _open(path: Path) -> IO[bytes]:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def next_record(self) -> int:
        """The number for the next root record."""
        self.records += 1
        return self.records - 1

    def write(self, stream: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Append records, which hold the double-underscore keys of the module's docstring, to one stream."""
        if records:
            data = b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)
            self._append(stream, data, len(records))

    def write_lines(self, stream: str, data: bytes, lines: int) -> None:
        """Append whole lines of a bulk result as they are; those of the root's stream are its records."""
        if lines:
            self._append(stream, data, lines)
            self.records += lines if stream == self.layout.streams[0] else 0

    def _append(self, stream: str, data: bytes, lines: int) -> None:
        segment = self._segment(stream)
        if stream not in self._files:
            self._files[stream] = Appender(segment.path)
        self._files[stream].write(data)
        grown = Segment(segment.path, segment.size + len(data), segment.lines + lines)
        self._open_segments[stream][-1] = grown
        self._changed[grown.path.name] = grown

    def _segment(self, stream: str) -> Segment:
        segments = self._open_segments.setdefault(stream, [])
        if not segments or segments[-1].size >= self._segment_bytes:
            if stream in self._files:
                self._files.pop(stream).close()
            segments.append(Segment(self._folder / f"{stream}-{len(segments) + 1:05}.jsonl", 0, 0))
        return segments[-1]

    def start_over(self) -> None:
        """Forget everything that was written."""
        self.close()
        self._take_up(self._begin(self.layout))

    def checkpoint(self, position: Mapping[str, Any]) -> None:
        """Make everything written so far count, together with where to go on from."""
        self._note({"position": position})

    def finish(self, claims: Mapping[str, Any]) -> None:
        """Say that the request is whole, and what the source said of it."""
        self._note({"position": None, "complete": True, "claims": claims})
        self.complete = True

    def _note(self, entry: Mapping[str, Any]) -> None:
        for file in self._files.values():
            file.flush()
        segments = {name: (segment.size, segment.lines) for name, segment in self._changed.items()}
        line = {"segments": segments, "records": self.records, **entry}
        self._manifest.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        self._manifest.flush()
        self._changed = {}

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._manifest.close()

    def __enter__(self) -> RawWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_begun(folder: Path, made_of: str) -> bool:
    """Whether what lies in the folder was asked for in this way, which positions and claims call their `document`."""
    manifest = read_manifest(folder)
    known = (manifest.claims if manifest.complete else manifest.position or {}) if manifest else {}
    return known.get("document") == made_of


def open_writer(folder: Path, wanted: Layout, made_of: str) -> RawWriter:
    """The folder's writer, empty where what lies there was asked for in another way."""
    if not is_begun(folder, made_of):
        for path in folder.glob("*.jsonl"):
            path.unlink()
    return RawWriter(folder, wanted)


def _cut_torn_line(path: Path) -> None:
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
