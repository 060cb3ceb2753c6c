"""The slow way through a bulk result: its lines are copied with the bookkeeping that the lines of pages have.

It is gone only where a line cannot be read, or a text looks as if an object stood in its place: then lines are looked
at one by one, and have to say which record they belong to. Line numbers stay what they are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from courier.decoding import decode
from courier.storage.raw import Layout, Segment
from courier.storage.shape_prepare import Work

Numbers = Mapping[str, int]  # a record's id -> the number of its root record


def as_pages(work: Work) -> Work:
    """The same records in a folder of their own, laid out as pages are."""
    layout = work.manifest.layout
    folder = work.scratch / work.raw.parent.name / work.raw.name
    folder.mkdir(mode=0o700, parents=True)
    numbers: dict[str, Numbers] = {}
    segments: dict[str, tuple[Segment, ...]] = {}
    for stream in layout.streams:
        above = numbers[above_of(layout, stream)] if numbers else None
        made, numbers[stream] = _copy(work.manifest.segments.get(stream, ()), above, folder, layout.fetched_at)
        segments[stream] = made
    manifest = replace(work.manifest, layout=replace(layout, fetched_at=""), segments=segments)
    return replace(work, manifest=manifest, raw=folder, texts={}, done={}, again={}, sets={}, roots={})


def above_of(layout: Layout, stream: str) -> str:
    """The stream of the records one level up, the nearest one on the way to the root."""
    return max((other for other in layout.streams if stream.startswith(f"{other}.")), key=len)


def _copy(
    segments: tuple[Segment, ...], above: Numbers | None, folder: Path, fetched_at: str
) -> tuple[tuple[Segment, ...], Numbers]:
    numbers: dict[str, int] = {}
    copies = []
    for segment in segments:
        copy = folder / segment.path.name
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with segment.path.open("rb") as lines, os.fdopen(descriptor, "wb") as out:
            out.writelines(_with_bookkeeping(line, above, numbers, fetched_at) for line in lines)
        copies.append(replace(segment, path=copy, size=copy.stat().st_size))
    return tuple(copies), numbers


def _with_bookkeeping(line: bytes, above: Numbers | None, numbers: dict[str, int], fetched_at: str) -> bytes:
    """A line that is no object stays as it is: nobody can tell what it belongs to. Half letters become U+FFFD."""
    try:
        record, replaced = decode(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    line = orjson.dumps(record) if replaced else line
    number = len(numbers) if above is None else above.get(str(record.get("__parentId")))
    if number is None:
        return line
    numbers[str(record.get("id"))] = number
    root = {"__fetchedAt": fetched_at} if above is None else {}
    # The record comes first, so that a key that stands there twice is still seen.
    return line.rstrip()[:-1] + b"," + orjson.dumps({"__record": number, **root})[1:] + b"\n"
