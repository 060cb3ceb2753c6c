"""What the query for a feed's rows is made of, and where its rows go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from courier.config.project import DomainTable, Feed
from courier.storage.selection import Node
from courier.storage.shape_fields import fields_of
from courier.storage.shape_prepare import Roots, Values, Work, make_roots
from courier.storage.shape_sql import Rows, needs_id


def rows_path(work: Work, feed: Feed) -> Path:
    """The file of a feed's rows."""
    return work.out / f"{feed.name}.parquet"


def set_number(work: Work) -> str:
    """SQL for what tells the set of a root record from every other set of the run."""
    return f"({work.ordinal << 40}::BIGINT | __record)"


def set_columns(work: Work, rows: Rows) -> dict[str, str]:
    """The columns by which a child's row says which set it belongs to."""
    return {"_set": set_number(work), "_parent": "__parent"} if "__parent" in rows.carried else {}


def all_roots(work: Work, feeds: Sequence[Feed], tables: Mapping[str, DomainTable]) -> dict[str | None, Roots]:
    """The root records for the feeds below them, by the name of their parent."""
    below: dict[str | None, list[Feed]] = {}
    for feed in feeds:
        if feed.table.rows.lists:
            below.setdefault(feed.table.parent, []).append(feed)
    for name, found in below.items():
        if name not in work.roots:
            work.roots[name] = make_roots(work, found, tables[name] if name else None)
    return work.roots


def rows_of(work: Work, feed: Feed, roots: Roots | None, values: Mapping[str, Values]) -> Rows:
    """The query for a feed's rows, but for the relations to read from."""
    layout = work.manifest.layout
    nodes = fields_of([feed.table], layout)
    rows = Rows(
        feed.table,
        layout,
        {},
        nodes,
        roots=roots.relation if roots else "",
        root_node=roots.node if roots else Node(),
        carried={"__parent": "rt.__parent"} if roots and feed.table.parent else {},
        bound=work.bound(feed.table),
        computed={name: value.relation for name, value in values.items()},
        keyed=frozenset(name for name, value in values.items() if value.keyed),
    )
    for stream in [*needs_id(rows), *([rows.levels.innermost] if layout.is_bulk else [])]:
        nodes[stream].fields.setdefault("id", Node())
    return rows
