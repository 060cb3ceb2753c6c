"""A request's streams as tables of texts, made once, so that no line is parsed again for each domain table.

Every scalar is still a text, nothing is judged yet: the columns are those of `shape_fields.relation`. For a bulk
result this is also where its lines are given what the others have from the start: the number of their root record,
found by way of `__parentId`, and the instant of their fetching.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from courier.config.project import DomainTable, Feed
from courier.errors import Incomplete
from courier.storage.duck import quote, read_parquet, text, unreadable
from courier.storage.raw import Layout
from courier.storage.selection import Computed, Node, identity_of
from courier.storage.shape_at_once import shape_own
from courier.storage.shape_fields import fields_asked, relation
from courier.storage.shape_late import late_feed, lines_again, read_first
from courier.storage.shape_plain import above_of
from courier.storage.shape_prepare import LinesInDoubt, Work, write


def make_texts(
    work: Work, feeds: Sequence[Feed], known: Mapping[str, DomainTable], computed: Sequence[Computed]
) -> Work:
    """The work with its texts; without any where lines of pages cannot be read, which are then looked at.

    known: the tables of the feeds and of their parents. Raises Incomplete for a bulk result with records whose parent
    is not there, LinesInDoubt where it cannot be read.
    """
    layout = work.manifest.layout
    tables = [*(feed.table for feed in feeds), *map(identity_of, known.values())]
    nodes = {stream: _with_id(stream, node, layout) for stream, node in fields_asked(tables, computed, layout).items()}
    late = late_feed(work, feeds)
    needed = nodes if late is None else {**nodes, layout.streams[0]: _first(work, late, feeds, known, computed)}
    texts: dict[str, str] = {}
    done: dict[str, int] = {}
    again: dict[str, str] = {}
    making = replace(work, texts=texts, done=done, again=again)
    try:
        for stream in layout.streams:
            own = shape_own(making, stream, nodes[stream], feeds, known, computed) if layout.is_bulk else None
            if own:
                texts[stream], done[own.feed] = own.texts, own.rows
            else:
                texts[stream] = _make(work, stream, needed[stream], texts)
        if late:
            again[late.name] = lines_again(work, nodes[layout.streams[0]], texts[layout.streams[0]])
    except unreadable():
        if layout.is_bulk:
            raise LinesInDoubt from None
        return work
    return making


def _first(
    work: Work,
    late: Feed,
    feeds: Sequence[Feed],
    known: Mapping[str, DomainTable],
    computed: Sequence[Computed],
) -> Node:
    root = work.manifest.layout.streams[0]
    return _with_id(root, read_first(work, late, feeds, known, computed), work.manifest.layout)


def _with_id(stream: str, node: Node, layout: Layout) -> Node:
    """Records that have records below them are joined by their `id`; in a bulk result it tells every line."""
    if not layout.is_bulk and not any(other.startswith(f"{stream}.") for other in layout.streams):
        return node
    return replace(node, fields={"id": Node(), **node.fields})


def _make(work: Work, stream: str, node: Node, made: Mapping[str, str]) -> str:
    files = work.files(stream)
    if not files:
        return relation(files, node)
    lines = relation(files, node, in_bulk=work.manifest.layout.is_bulk)
    path = work.scratch / f"texts-{stream}.parquet"
    count = write(work.connection, _numbered(work.manifest.layout, stream, lines, made), path)
    found = read_parquet([path])
    if work.manifest.layout.is_bulk:
        _check(work, stream, count, found)
        if stream == work.manifest.layout.streams[0]:
            return f"(SELECT * REPLACE (file_row_number AS __record) FROM {_with_row_numbers(found)})"
    return found


def _with_row_numbers(found: str) -> str:
    return f"{found.removesuffix(')')}, file_row_number = true)"


def _numbered(layout: Layout, stream: str, lines: str, made: Mapping[str, str]) -> str:
    if not layout.is_bulk:
        return f"SELECT * FROM {lines}"
    if stream == layout.streams[0]:
        return f'SELECT * REPLACE ({text(layout.fetched_at)} AS "__fetchedAt") FROM {lines}'
    above = made[above_of(layout, stream)]
    return (
        f"SELECT l.* REPLACE (a.__record AS __record) FROM {lines} l "
        f'LEFT JOIN (SELECT id, __record FROM {above}) a ON a.id = l."__parentId"'
    )


def _check(work: Work, stream: str, count: int, found: str) -> None:
    """Raises Incomplete where a record has no parent, or two."""
    expected = work.manifest.lines(stream)
    if count != expected:
        raise Incomplete(f"{stream}: {expected} records were fetched in bulk, of which some share an id", fix=_AGAIN)
    if stream == work.manifest.layout.streams[0]:
        return
    row = work.connection.execute(f"SELECT count(*) FROM {found} WHERE {quote('__record')} IS NULL").fetchone()
    if row and row[0]:
        raise Incomplete(f"{stream}: {row[0]} of {expected} records came without the one they belong to", fix=_AGAIN)


_AGAIN = "run again; nothing was committed"
