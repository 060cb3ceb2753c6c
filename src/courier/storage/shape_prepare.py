"""What the rows of a request are joined to, made once per request: its root records, and its computed values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from courier.config.project import Column, DomainTable, Feed, RowPath
from courier.errors import ConfigurationError, RunFailed
from courier.storage.duck import connect, quote, read_parquet, text, unreadable
from courier.storage.expressions import bind
from courier.storage.instances import lent
from courier.storage.raw import Manifest
from courier.storage.selection import Computed, Node, identity_of
from courier.storage.shape_fields import Levels, at_root, fields_of, fields_read, relation
from courier.storage.shape_lines import Checked, check_stream
from courier.storage.shape_sql import Rows, select_good, source_name
from courier.storage.shape_values import looks_nested

if TYPE_CHECKING:
    from courier.storage.duck import Connection

# JSON and parquet are buffered per thread: 32 MB and a row group each. Half as many rows take 40 MB less of a million
# orders' lines, and touch a quarter less memory.
MOST_THREADS = 4
_ROW_GROUP = 20_480
# Half the time of DuckDB's defaults, for 10% more bytes: to look for a dictionary of a column of ids is in vain. Nobody
# looks a value up by a filter. Version 2 takes a tenth less time to write and to read than version 1, and less room.
_ENCODING = "COMPRESSION lz4, DICTIONARY_SIZE_LIMIT 2000, WRITE_BLOOM_FILTER false, PARQUET_VERSION v2"
# So little that it is not worth writing it down to parse it but once.
_FEW_BYTES = 4 * 1024 * 1024
# So little that one thread shapes it about as soon as two, for a tenth less CPU.
_ONE_THREAD_BYTES = 100 * 1024 * 1024


class LinesInDoubt(Exception):
    """The lines of a bulk result have to be looked at one by one: see shape_plain."""


@dataclass(frozen=True)
class Work:
    """One request being shaped: its folder, where to write, and a connection that reaches nothing else.

    `texts`: its streams as made by shape_texts, where they were; `done`: feeds whose rows were written on the way;
    `again`: relations over the lines of those that read them once more (shape_late).
    `sets`: files of sets by the query that made them. `roots`: root records by the parent of those below them.
    """

    connection: Connection
    manifest: Manifest
    raw: Path
    out: Path
    ordinal: int
    texts: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    sets: dict[str, tuple[Path, ...]] = field(default_factory=dict)
    roots: dict[str | None, Roots] = field(default_factory=dict)

    @property
    def is_large(self) -> bool:
        """Whether parsing every line but once is worth writing it down."""
        return self.manifest.layout.is_bulk or _size(self.raw) >= _FEW_BYTES

    @property
    def read_once(self) -> tuple[Path, ...]:
        """Its files, where they are so large that to keep them in memory is costly."""
        found = tuple(file for stream in self.manifest.segments for file in self.files(stream))
        return found if _size(self.raw) >= _ONE_THREAD_BYTES else ()

    @property
    def scratch(self) -> Path:
        return _scratch(self.out)

    def relation(self, stream: str, node: Node) -> str:
        """A stream with at least the fields of `node`: its texts where they were made, else its files."""
        if stream not in self.texts and self.manifest.layout.is_bulk:
            raise LinesInDoubt  # its files do not say which records they belong to
        return self.texts.get(stream) or relation(self.files(stream), node)

    def files(self, stream: str) -> tuple[Path, ...]:
        return tuple(self.raw / segment.path.name for segment in self.manifest.segments.get(stream, ()))

    def check(
        self, streams: Iterable[str], nodes: Mapping[str, Node], purpose: str, levels: Levels | None = None
    ) -> dict[str, Checked]:
        """Look at every line of some streams. `levels` are those of the rows wanted. Raises LinesInDoubt."""
        if self.manifest.layout.is_bulk:
            raise LinesInDoubt
        root = self.manifest.layout.streams[0]
        folder = self.scratch / purpose
        rows_at = {levels.innermost: levels.inline[0]} if levels and levels.inline else {}
        return {s: check_stream(self.files(s), nodes[s], s == root, folder, rows_at.get(s, ())) for s in streams}

    def bound(self, table: DomainTable) -> dict[str, str]:
        """Every column's `sql`, over the names of its sources' values."""
        return {
            column.name: bind(self.connection, column.sql, _names(number, column))
            for number, column in enumerate(table.columns)
            if column.sql is not None and column.sources
        }


def _names(number: int, column: Column) -> list[str]:
    return [source_name(number, position) for position in range(len(column.sources))]


@dataclass(frozen=True)
class Values:
    """A computed value, written out, and the records for which it cannot be told (None: all of them)."""

    relation: str
    keyed: bool
    doubtful: frozenset[int] | None = frozenset()


@dataclass(frozen=True)
class Roots:
    """The root records that children can be joined to: `__record`, `__fetched`, `__parent`, `__version`, fields."""

    relation: str
    node: Node


def open_locked(raw: Path, out: Path) -> Connection:
    """A connection on which SQL can reach these two folders and nothing else, and change no setting."""
    connection = connect(threads=_threads(raw), spill=_scratch(out))
    # Joins are written with the smaller side on the right, and files of JSON tell the optimizer nothing; a filter
    # pushed below the casts would make every cast twice. Without statistics no column of a parquet file is REQUIRED,
    # which is how dlt knows every column; of one that differs it would write the whole file anew.
    connection.execute(
        "SET disabled_optimizers = 'join_order,build_side_probe_side,filter_pushdown,statistics_propagation'"
    )
    folders = ", ".join(text(str(folder)) for folder in (raw, out))
    connection.execute(f"SET allowed_directories = [{folders}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _threads(raw: Path) -> int:
    return 1 if _size(raw) < _ONE_THREAD_BYTES else min(MOST_THREADS, os.cpu_count() or 1)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _scratch(out: Path) -> Path:
    return out / "scratch"


def write(connection: Connection, query: str, path: Path) -> int:
    """Write a query's rows as parquet, 0600, and say how many; without any there is no file."""
    options = f"FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP}, {_ENCODING}"
    answer = connection.execute(f"COPY ({query}) TO {text(str(path))} ({options})").fetchone()
    path.chmod(0o600)
    count = int(answer[0]) if answer else 0
    if not count:
        path.unlink()
    return count


def make_roots(work: Work, feeds: Sequence[Feed], parent: DomainTable | None) -> Roots:
    """The request's root records, as the feeds below them and their parent need them."""
    layout = work.manifest.layout
    root = layout.streams[0]
    identity = _identity(root, parent)
    node = fields_of(at_root(feed.table for feed in feeds), layout)[root]
    if layout.is_bulk:  # whose lines know their root record by its id alone
        node.fields.setdefault("id", Node())
    nodes = fields_of([identity, *at_root(feed.table for feed in feeds)], layout)
    rows = Rows(
        identity,
        layout,
        {root: work.relation(root, nodes[root])},
        nodes,
        carried={f"__carried_{name}": f"l0.{quote(name)}" for name in node.fields},
        bound=work.bound(identity),
    )
    path = work.scratch / f"roots-{identity.name}.parquet"
    if _write_roots(work, replace(rows, guards=tuple(_guards(node))), node, path) < work.manifest.lines(root):
        checked = work.check([root], nodes, f"roots-{identity.name}")
        verified = replace(rows, relations={root: relation(checked[root].files, nodes[root])}, verified=True)
        if _write_roots(work, verified, node, path) < 0:
            raise RunFailed(f"the {root} records of {work.raw.name} cannot be read")
    return Roots(_written(path, rows, node), node)


def _identity(root: str, parent: DomainTable | None) -> DomainTable:
    if parent is None:
        return DomainTable(root, "", RowPath(root), (), ())
    if parent.rows.lists or len(parent.primary_key) != 1:
        raise ConfigurationError(f"{parent.name} cannot be a parent: its rows are not root records with one key column")
    return identity_of(parent)


def _write_roots(work: Work, rows: Rows, node: Node, path: Path) -> int:
    """How many were written, -1 if the files cannot be read as they are."""
    try:
        return write(work.connection, select_good(rows, _root_columns(rows, node)), path)
    except unreadable():
        return -1


def _root_columns(rows: Rows, node: Node) -> dict[str, str]:
    places = {column.name: f"t{number}" for number, column in enumerate(rows.table.columns)}
    key = next((places[name] for name in rows.table.primary_key), "NULL::VARCHAR")
    version = places.get(rows.table.last_updated or "", "NULL::TIMESTAMPTZ")
    fields = {name: quote(f"__carried_{name}") for name in node.fields}
    return {"__record": "__record", "__fetched": "__fetched", "__parent": key, "__version": version, **fields}


def _written(path: Path, rows: Rows, node: Node) -> str:
    if path.exists():
        return read_parquet([path])
    # Not one root record: the same columns and no row.
    columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in _root_columns(rows, node).items())
    nulls = {
        **{f"t{number}": "NULL" for number in range(len(rows.table.columns))},
        **{f"__carried_{name}": "NULL" for name in node.fields},
        "__record": "NULL::BIGINT",
        "__fetched": "NULL::TIMESTAMPTZ",
    }
    given = ", ".join(f"{sql} AS {quote(name)}" for name, sql in nulls.items())
    return f"(SELECT {columns} FROM (SELECT {given}) WHERE false)"


def _guards(node: Node, base: str = "") -> list[str]:
    """True where an object or a list may stand in place of a field that children read as a text."""
    guards = []
    for name, child in node.fields.items():
        value = f"{base}.{quote(name)}" if base else quote(f"__carried_{name}")
        if child.is_json:
            continue
        if not child.fields:
            guards.append(looks_nested(value, child.is_list))
        elif not child.is_list:
            guards += _guards(child, value)
    return guards


def make_computed(work: Work, wanted: Iterable[Computed]) -> dict[str, Values]:
    """Each computed value over the request's streams. Raises RunFailed, without the values that it failed on."""
    values = list(wanted)
    if not values:
        return {}
    if not work.is_large:
        return {value.name: _compute(work, work.connection, value) for value in values}
    with lent(threads=_threads(work.raw), spill=work.scratch) as connection:
        return {value.name: _compute(work, connection, value) for value in values}


def _compute(work: Work, connection: Connection, value: Computed) -> Values:
    nodes = fields_read(value.reads, work.manifest.layout)
    streams = [name for name in re.findall(r"\{([A-Za-z_][\w.]*)\}", value.sql) if name in nodes]
    path = work.scratch / f"computed-{value.name}.parquet"
    doubtful: frozenset[int] | None = frozenset()
    try:
        _run_computed(connection, value, {s: work.relation(s, nodes[s]) for s in streams}, path)
    except unreadable():
        checked = work.check(streams, nodes, f"computed-{value.name}")
        doubtful = records_of(checked.values())
        try:
            _run_computed(connection, value, {s: relation(checked[s].files, nodes[s]) for s in streams}, path)
        except unreadable() as failure:
            # DuckDB's message can hold a customer's value.
            raise RunFailed(f"computed.{value.name} failed on {work.raw.name}: {type(failure).__name__}") from None
    keyed = "." in value.rows
    empty = "(SELECT NULL::BIGINT AS __record, NULL::VARCHAR AS result, NULL::VARCHAR AS key WHERE false)"
    return Values(read_parquet([path]) if path.exists() else empty, keyed, doubtful)


def _run_computed(connection: Connection, value: Computed, relations: Mapping[str, str], path: Path) -> None:
    sql = value.sql
    for stream, source in relations.items():
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {quote(stream)} AS SELECT * EXCLUDE (filename) FROM {source}")
        sql = sql.replace("{" + stream + "}", quote(stream))
    write(connection, sql, path)


def records_of(checked: Iterable[Checked]) -> frozenset[int] | None:
    """The records that bad lines belong to, or None when one of them may belong to any."""
    found = [line.record for streams in checked for line in streams.bad if line.holds_rows]
    known = frozenset(record for record in found if record is not None)
    return known if None not in found else None
