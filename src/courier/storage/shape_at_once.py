"""A bulk stream's own table, shaped while its lines are read for the first and only time.

Where a table's rows are the lines of a stream and nothing has to be computed first, its rows are written straight from
the lines. What other tables read of those lines stands beside the rows, in columns named `_kept_<n>`, and so no texts
are written and read again: a fifth of the time that order lines take. It is all or nothing: where a single line does
not make a good row, the texts are made after all, and what is wrong is found in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from courier.config.project import DomainTable, Feed
from courier.storage.duck import quote, read_parquet, text
from courier.storage.load import KEPT
from courier.storage.selection import Computed, Node, identity_of
from courier.storage.shape_fields import fields_asked, levels_of, relation
from courier.storage.shape_prepare import Roots, Work, write
from courier.storage.shape_rows import all_roots, rows_of, rows_path, set_columns
from courier.storage.shape_sql import Rows, good_rows, sources_read


@dataclass(frozen=True)
class Own:
    """What was made of a stream: the feed, how many rows, and the relation for those who read the lines too."""

    feed: str
    rows: int
    texts: str


def shape_own(
    work: Work,
    stream: str,
    node: Node,
    feeds: Sequence[Feed],
    known: Mapping[str, DomainTable],
    computed: Iterable[Computed],
) -> Own | None:
    """Write the rows of the feed whose rows are the lines of `stream`; None where there is none, or not all are good.

    node: the fields of a line that anybody reads. Raises what DuckDB raises for a line that cannot be read.
    """
    feed = next((feed for feed in feeds if _is_own(work, stream, feed)), None)
    files = work.files(stream)
    if feed is None or not files:
        return None
    roots = all_roots(work, feeds, known)[feed.table.parent] if feed.table.rows.lists else None
    kept = _kept(work, stream, [other for other in feeds if other is not feed], known, computed)
    rows = _rows(work, feed, roots, _lines(work, stream, relation(files, node, in_bulk=True)), kept)
    extra = {name: f'"_{name}"' for name in kept}
    count = write(work.connection, good_rows(rows, {**set_columns(work, rows), **extra}), rows_path(work, feed))
    if count != work.manifest.lines(stream):
        rows_path(work, feed).unlink(missing_ok=True)
        return None
    return Own(feed.name, count, _texts(work, feed, kept))


def _is_own(work: Work, stream: str, feed: Feed) -> bool:
    levels = levels_of(feed.table.rows, work.manifest.layout)
    if levels.innermost != stream or levels.inline or len(levels.streams) > 2:
        return False
    kinds = {source.kind for column in feed.table.columns for source in column.sources}
    return "computed" not in kinds and sources_read(rows_of(work, feed, None, {})) == (stream,)


def _lines(work: Work, stream: str, lines: str) -> str:
    layout = work.manifest.layout
    if stream != layout.streams[0]:
        return lines
    return f'(SELECT * REPLACE ({text(layout.fetched_at)} AS "__fetchedAt") FROM {lines})'


def _kept(
    work: Work, stream: str, others: Sequence[Feed], known: Mapping[str, DomainTable], computed: Iterable[Computed]
) -> dict[str, str]:
    """Column -> the field that it keeps for the other tables: those that they read, and what tells a line."""
    layout = work.manifest.layout
    tables = [*(feed.table for feed in others), *map(identity_of, known.values())]
    fields = fields_asked(tables, tuple(computed), layout)[stream].fields
    number = () if stream == layout.streams[0] else ("__record",)
    names = ["filename", *number, "id", *fields]
    return {f"{KEPT}{number}": name for number, name in enumerate(dict.fromkeys(names))}


def _rows(work: Work, feed: Feed, roots: Roots | None, lines: str, kept: Mapping[str, str]) -> Rows:
    rows = rows_of(work, feed, roots, {})
    alias = f"l{len(rows.levels.streams) - 1}"
    carried = {f"_{column}": f"{alias}.{quote(name)}" for column, name in kept.items() if name != "__record"}
    carried |= {f"_{column}": "rt.__record" for column, name in kept.items() if name == "__record"}
    return replace(
        rows,
        relations={rows.levels.innermost: lines},
        carried={**rows.carried, **carried},
        by_id=roots is not None,
    )


def _texts(work: Work, feed: Feed, kept: Mapping[str, str]) -> str:
    """The lines for those who read what was kept of them, with the bookkeeping that `shape_fields.relation` has."""
    columns = [f"{column} AS {quote(name)}" for column, name in kept.items()]
    if "__record" not in kept.values():
        columns.append("file_row_number AS __record")
    columns += ['NULL::VARCHAR AS "__parentId"', 'NULL::BIGINT AS "__index"']
    columns.append(f'{text(work.manifest.layout.fetched_at)} AS "__fetchedAt"')
    found = read_parquet([rows_path(work, feed)]).removesuffix(")")
    return f"(SELECT {', '.join(columns)} FROM {found}, file_row_number = true))"
