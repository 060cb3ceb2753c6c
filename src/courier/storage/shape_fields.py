"""Which fields of which stream are read, and as what: every scalar as text, so that nothing is guessed or rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from courier.config.project import DomainTable, RowPath, Source, Step
from courier.errors import ConfigurationError
from courier.storage.duck import quote, text
from courier.storage.raw import Layout
from courier.storage.selection import Computed, Node, select, select_path

_IN_BULK = frozenset({"__parentId"})
BOOKKEEPING = {"__record": "BIGINT", "__parentId": "VARCHAR", "__index": "BIGINT", "__fetchedAt": "VARCHAR"}


@dataclass(frozen=True)
class Levels:
    """Where the rows of a table lie: through which streams, the root first, then through which lists of a line."""

    streams: tuple[str, ...]
    inline: tuple[tuple[str, ...], ...]

    @property
    def innermost(self) -> str:
        return self.streams[-1]


@dataclass(frozen=True)
class Pick:
    """A value behind one record of a stream further down: `metafields[0].value`."""

    stream: str
    level: int
    index: int
    steps: tuple[Step, ...]


def levels_of(rows: RowPath, layout: Layout) -> Levels:
    """The longest way down through streams; what is left lies inside the lines."""
    streams = [rows.root]
    for names in rows.lists:
        path = ".".join([streams[-1], *names])
        if path not in layout.streams:
            break
        streams.append(path)
    return Levels(tuple(streams), rows.lists[len(streams) - 1 :])


def left_out_of(rows: RowPath, layout: Layout) -> str:
    """The list on the way to the rows whose records lie in another part of the request: `Order.refunds`, or ""."""
    paths = [
        ".".join([rows.root, *(name for names in rows.lists[:depth] for name in names)]) for depth in _depths(rows)
    ]
    return next((path for path in paths if path in layout.left_out), "")


def _depths(rows: RowPath) -> range:
    return range(1, len(rows.lists) + 1)


def level_of(rows: RowPath, source: Source) -> int:
    """How many lists below the root a source's value is: 0 is the root record."""
    return len(rows.lists) - source.climb


def fields_of(tables: Iterable[DomainTable], layout: Layout) -> dict[str, Node]:
    """Stream -> the fields that the tables' own columns read of it, streams below it left out."""
    return _by_stream(select(tuple(tables), lists=layout.lists), layout)


def fields_read(reads: Iterable[str], layout: Layout) -> dict[str, Node]:
    """The same for paths as a computed value names them."""
    roots: dict[str, Node] = {}
    for path in reads:
        select_path(roots, path)
    for path in layout.lists:
        root, *names = path.split(".")
        node = roots.get(root)
        for name in names:
            node = node.fields.get(name) if node else None
        if node:
            node.is_list = True
    return _by_stream(roots, layout)


def fields_asked(tables: Iterable[DomainTable], computed: Iterable[Computed], layout: Layout) -> dict[str, Node]:
    """Stream -> everything that the tables, and the computed values that they use, read of it."""
    return _by_stream(select(tuple(tables), tuple(computed), layout.lists), layout)


def _by_stream(roots: Mapping[str, Node], layout: Layout) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for stream in layout.streams:
        root, *names = stream.split(".")
        node: Node | None = roots.get(root)
        for name in names:
            node = node.fields.get(name) if node else None
        found[stream] = _without_streams(stream, node or Node(), layout.streams)
    return found


def _without_streams(path: str, node: Node, streams: Sequence[str]) -> Node:
    kept = {}
    for name, child in node.fields.items():
        below = f"{path}.{name}"
        if below in streams:
            continue
        left = _without_streams(below, child, streams)
        if left.fields or not child.fields:
            kept[name] = left
    return Node(node.is_list, kept, node.is_json)


def at_root(tables: Iterable[DomainTable]) -> list[DomainTable]:
    """The tables reduced to what their columns read of the root record, as if that were their row."""
    return [_at_root(table) for table in tables]


def _at_root(table: DomainTable) -> DomainTable:
    columns = []
    for column in table.columns:
        sources = [s for s in column.sources if s.kind == "field" and level_of(table.rows, s) == 0]
        columns.append(replace(column, sources=tuple(replace(source, climb=0) for source in sources)))
    return replace(table, rows=RowPath(table.rows.root), columns=tuple(columns))


def pick_of(rows: RowPath, source: Source, levels: Levels, layout: Layout) -> Pick | None:
    """The record of a further stream that a source's path goes through, if it does. Raises ConfigurationError."""
    level = level_of(rows, source)
    if source.kind != "field" or level >= len(levels.streams):
        return None
    path = levels.streams[level]
    for position, step in enumerate(source.steps):
        path = f"{path}.{step.name}"
        if path in layout.streams:
            if step.index is None:
                raise ConfigurationError(
                    f"`{source.text or path}` goes through the list {path}", fix=f"pick one of them: {step.name}[0]"
                )
            return Pick(path, level, step.index, source.steps[position + 1 :])
    return None


def node_at(node: Node, steps: Iterable[Step]) -> Node:
    """The field that the steps lead to, or a plain scalar where the selection does not know it."""
    for step in steps:
        node = node.fields.get(step.name, Node())
    return node


def value_at(base: str, steps: Iterable[Step]) -> str:
    """SQL that walks from a struct, or a table's alias, along the steps."""
    for step in steps:
        base = f"{base}.{quote(step.name)}"
        if step.index is not None:
            base = f"({base})[{step.index + 1}]"
        base = f"({base})" if step.index is not None else base
    return base


def type_of(node: Node) -> str:
    """The DuckDB type that a field is read as: text, a struct, or a list of either."""
    if not node.fields:
        return "VARCHAR[]" if node.is_list else "VARCHAR"
    fields = ", ".join(f"{quote(name)} {type_of(child)}" for name, child in node.fields.items())
    return f"STRUCT({fields})" + ("[]" if node.is_list else "")


def relation(files: Sequence[Path], node: Node, *, in_bulk: bool = False) -> str:
    """A stream as a relation: its bookkeeping, its fields, and `filename`. Empty when there is no file.

    in_bulk: the lines are a source's own, so that most of the bookkeeping is null: to look for it took 0.1 us a line.
    """
    types = {**BOOKKEEPING, **{name: type_of(child) for name, child in node.fields.items()}}
    if not files:
        nulls = ", ".join(f"NULL::{kind} AS {quote(name)}" for name, kind in types.items())
        return f"(SELECT {nulls}, NULL::VARCHAR AS filename WHERE false)"
    missing = BOOKKEEPING.keys() - _IN_BULK if in_bulk else frozenset()
    columns = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in types.items() if name not in missing)
    listed = ["*", *(f"NULL::{kind} AS {quote(name)}" for name, kind in BOOKKEEPING.items() if name in missing)]
    paths = ", ".join(text(str(path)) for path in files)
    read = f"read_ndjson([{paths}], columns = {{{columns}}}, format = 'newline_delimited')"
    return f"(SELECT {', '.join(listed)}, filename FROM {read})"
