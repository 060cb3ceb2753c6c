"""Fields that a source sends and no column names, told from one line per stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from courier.config.project import DomainTable, Feed
from courier.storage.selection import Computed, Node, identity_of
from courier.storage.shape_fields import fields_of, fields_read, levels_of
from courier.storage.shape_prepare import Work


def unknown_fields(
    work: Work, feeds: Sequence[Feed], parents: Sequence[DomainTable], computed: Sequence[Computed]
) -> dict[str, tuple[str, ...]]:
    """Feed -> paths, as `Order.lineItems.colour`, told to the first feed whose rows are of that stream.

    A connector may ask for every record's `id`, whether a column reads it or not.
    """
    layout = work.manifest.layout
    asked = fields_of([*(feed.table for feed in feeds), *(identity_of(parent) for parent in parents)], layout)
    read = fields_read([path for value in computed for path in value.reads], layout)
    found: dict[str, list[str]] = {}
    for stream in layout.streams:
        paths = list(_unknown(_sample(work, stream), [asked[stream], read[stream]], stream))
        if paths:
            found.setdefault(_told_to(feeds, work, stream), []).extend(paths)
    return {feed: tuple(paths) for feed, paths in found.items()}


def _told_to(feeds: Sequence[Feed], work: Work, stream: str) -> str:
    own = (feed.name for feed in feeds if levels_of(feed.table.rows, work.manifest.layout).innermost == stream)
    return next(own, feeds[0].name)


def _sample(work: Work, stream: str) -> Any:
    for file in work.files(stream)[:1]:
        with file.open("rb") as lines:
            try:
                return orjson.loads(lines.readline())
            except orjson.JSONDecodeError:
                return None
    return None


def _unknown(value: Any, nodes: Sequence[Node], path: str) -> Iterator[str]:
    if isinstance(value, list):
        value = next((element for element in value if element is not None), None)
    if not isinstance(value, Mapping) or not any(node.fields for node in nodes):
        return
    for name, child in value.items():
        below = [node.fields[name] for node in nodes if name in node.fields]
        if below:
            yield from _unknown(child, below, f"{path}.{name}")
        elif name != "id" and not name.startswith("__"):
            yield f"{path}.{name}"
