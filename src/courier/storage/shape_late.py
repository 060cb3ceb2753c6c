"""A bulk result's root records whose table needs what has to be computed first: their lines are read twice.

At first only what the other tables, and the computed values, read of them, with the number that each line is given; at
last everything that the table itself reads, straight from the lines. To write all of that as texts in between and to
read it again took a third longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from courier.config.project import Column, DomainTable, Feed
from courier.storage.duck import text
from courier.storage.selection import Computed, Node, identity_of
from courier.storage.shape_fields import fields_asked, levels_of, relation
from courier.storage.shape_prepare import LinesInDoubt, Work
from courier.storage.shape_rows import rows_of
from courier.storage.shape_sql import sources_read


def late_feed(work: Work, feeds: Sequence[Feed]) -> Feed | None:
    """The feed whose rows are the root's lines and that reads a computed value, in a bulk result that has any."""
    root = work.manifest.layout.streams[0]
    if not work.manifest.layout.is_bulk or not work.files(root):
        return None
    return next((feed for feed in feeds if _is_late(work, root, feed)), None)


def _is_late(work: Work, root: str, feed: Feed) -> bool:
    levels = levels_of(feed.table.rows, work.manifest.layout)
    if levels.streams != (root,) or levels.inline or not any(map(_is_computed, feed.table.columns)):
        return False
    return sources_read(rows_of(work, feed, None, {})) == (root,)


def _is_computed(column: Column) -> bool:
    return any(source.kind == "computed" for source in column.sources)


def read_first(
    work: Work, late: Feed, feeds: Sequence[Feed], known: Mapping[str, DomainTable], computed: Iterable[Computed]
) -> Node:
    """The fields of a root line that anybody reads but the late feed's own columns."""
    asking = replace(late.table, columns=tuple(column for column in late.table.columns if _is_computed(column)))
    tables = [asking, *(feed.table for feed in feeds if feed is not late), *map(identity_of, known.values())]
    layout = work.manifest.layout
    return fields_asked(tables, tuple(computed), layout)[layout.streams[0]]


def lines_again(work: Work, node: Node, first: str) -> str:
    """The root's lines with the fields of `node` and the numbers that they have in `first`.

    Raises LinesInDoubt where one of them has no id to be found again by.
    """
    if work.connection.execute(f"SELECT 1 FROM {first} WHERE id IS NULL LIMIT 1").fetchone():
        raise LinesInDoubt
    layout = work.manifest.layout
    lines = relation(work.files(layout.streams[0]), node, in_bulk=True)
    columns = f'l.* REPLACE (f.__record AS __record, {text(layout.fetched_at)} AS "__fetchedAt")'
    return f"(SELECT {columns} FROM {lines} l LEFT JOIN (SELECT id, __record FROM {first}) f ON f.id = l.id)"
