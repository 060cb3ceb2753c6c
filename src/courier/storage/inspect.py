"""Looking at a warehouse: its tables with hashes, and queries of the published file that can change nothing.

The descriptions of tables are read through DuckDB: of the published file, or of a snapshot of a database, whose rows
are then counted by Postgres, or streamed through DuckDB for a hash.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from courier.config.vocabulary import Vocabulary
from courier.errors import UsageError
from courier.storage import duck
from courier.storage.entities import Entity, EntityColumn, entities
from courier.storage.hashes import table_hash_sql
from courier.storage.instances import lent
from courier.storage.postgres.snapshot import Snapshot
from courier.storage.semantic import tagged_tables
from courier.storage.warehouse import SANDBOX_FILE, heal

if TYPE_CHECKING:
    from courier.storage.duck import Connection

    Source: TypeAlias = Connection | Snapshot


@dataclass(frozen=True)
class TableColumn:
    """`type` in the words of the YAML; `status` is why the column is null, or "" where it is loaded."""

    name: str
    type: str
    tags: tuple[str, ...]
    pii: bool
    status: str


@dataclass(frozen=True)
class TableInfo:
    """One domain table: `table` is `shopify.order`; `hash` is "" unless it was asked for."""

    table: str
    rows: int
    hash: str
    primary_key: tuple[str, ...]
    columns: tuple[TableColumn, ...]


@dataclass(frozen=True)
class ViewInfo:
    """One view over domain tables: `view` is `shopify.customer_totals`. Only those of `semantic` have tags."""

    view: str
    rows: int
    meaning: str
    columns: tuple[TableColumn, ...]


@dataclass(frozen=True)
class Answer:
    """A query's result: its columns and an iterator over its rows, read as they are asked for."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


MEMORY_LIMIT = "2GB"
"""For whoever reads: a view that sums up over 200 stores, as customer_totals does, holds 1.5 GB that cannot spill."""


@contextmanager
def open_published(path: Path) -> Iterator[Connection]:
    """A read-only connection whose names are those of the published file: `shopify.customer`.

    Raises UsageError if nothing was published yet.
    """
    if not path.exists():
        option = " --sandbox" if path.name == SANDBOX_FILE else ""
        raise UsageError(
            f"There is no {path.name} yet.", fix=f"Load something first: courier run --group GROUP{option}"
        )
    heal(path)
    with ExitStack() as cleanup:
        private = cleanup.enter_context(TemporaryDirectory(prefix="reading-", dir=_private_folder(path)))
        connection = cleanup.enter_context(lent(MEMORY_LIMIT, spill=Path(private) / "spill"))
        try:
            duck.attach(connection, path, path.stem, read_only=True)
        except duck.error():
            # A shell has it open for writing, and DuckDB then shuts out every other reader: read a copy.
            copy = shutil.copyfile(path, Path(private) / path.name)
            duck.attach(connection, copy, path.stem, read_only=True)
        connection.execute(f"USE {duck.quote(path.stem)}")
        yield connection


def _private_folder(published: Path) -> Path | None:
    folder = published.parent / ".courier"
    return folder if folder.is_dir() else None


def described(source: Source) -> Connection:
    """The connection that says what tables there are."""
    return source.connection if isinstance(source, Snapshot) else source


def tables(source: Source, *schemas: str, hashes: bool = True) -> list[TableInfo]:
    """The domain tables of these schemas (all of them if none is named), by name."""
    connection = described(source)
    query = "SELECT schema_name, table_name, primary_key FROM courier.domain_table ORDER BY ALL"
    found = connection.execute(query).fetchall() if has_ledger(connection) else []
    return [
        _table(source, schema, table, tuple(key), hashes)
        for schema, table, key in found
        if not schemas or schema in schemas
    ]


def views(source: Source) -> list[ViewInfo]:
    """The views of all schemas, by name. They have no hash and no primary key: their tables have."""
    connection = described(source)
    if not has_ledger(connection):
        return []
    found = _views(source)
    tagged = {one.relation: one for one in semantic_views(connection)} if found else {}
    return [_view(source, schema, name, comment, tagged) for schema, name, comment in found]


def _views(source: Source) -> list[tuple[str, str, str]]:
    if isinstance(source, Snapshot):
        rows = source.connection.execute("SELECT DISTINCT schema_name FROM courier.view").fetchall()
        return source.views(*(schema for (schema,) in rows)) if rows else []
    query = """
        SELECT schema_name, view_name, coalesce(comment, '') FROM duckdb_views()
        WHERE database_name = current_database() AND NOT internal
            AND schema_name IN (SELECT schema_name FROM courier.view) ORDER BY ALL
    """
    return source.execute(query).fetchall()


def semantic_views(connection: Connection) -> tuple[Entity, ...]:
    """The views of the schema `semantic`: which columns of which tables they are made of."""
    return tuple(entities(tagged_tables(connection, "courier"), Vocabulary())) if has_ledger(connection) else ()


def _view(source: Source, schema: str, name: str, meaning: str, tagged: Mapping[str, Entity]) -> ViewInfo:
    of_tags = {one.name: one for one in tagged[f"{schema}.{name}"].columns} if f"{schema}.{name}" in tagged else {}
    rows, _ = _figures(source, schema, name)
    types = source.types[schema, name] if isinstance(source, Snapshot) else types_of(source, schema, name)
    columns = tuple(_view_column(of_tags.get(column), column, kind) for column, kind in types.items())
    return ViewInfo(f"{schema}.{name}", rows, meaning, columns)


def _view_column(tagged: EntityColumn | None, name: str, kind: str) -> TableColumn:
    word = _WORDS.get(kind, kind)
    return TableColumn(name, word, tagged.tags if tagged else (), tagged.pii if tagged else False, "")


# The words of the YAML, where they have one for a type.
_WORDS = {
    "BIGINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DECIMAL": "decimal",  # of Postgres, which forgets precision and scale of what it has computed
    "DECIMAL(19,4)": "decimal",
    "DOUBLE": "float",
    "TIMESTAMP WITH TIME ZONE": "datetime",
    "VARCHAR": "string",
    "VARCHAR[]": "string[]",
}


def has_ledger(connection: Connection) -> bool:
    """Whether the published file says anything of its tables."""
    query = """
        SELECT 1 FROM duckdb_tables()
        WHERE database_name = current_database() AND schema_name = 'courier' AND table_name = 'domain_table'
    """
    return connection.execute(query).fetchone() is not None


def _table(source: Source, schema: str, table: str, key: tuple[str, ...], hashes: bool) -> TableInfo:
    columns = _columns(described(source), schema, table)
    # Only the columns of the YAML: one that it lost keeps its old values, which are no longer the source's.
    rows, digest = _figures(source, schema, table, [column.name for column in columns] if hashes else None)
    return TableInfo(f"{schema}.{table}", rows, digest, key, columns)


def _figures(source: Source, schema: str, table: str, hashed: Sequence[str] | None = None) -> tuple[int, str]:
    """How many rows there are, and the hash of these columns."""
    if not isinstance(source, Snapshot):
        types = types_of(source, schema, table) if hashed else {}
        return _counted(
            source, f"{duck.quote(schema)}.{duck.quote(table)}", {name: types[name] for name in hashed or ()}
        )
    if not hashed:
        return source.count(schema, table), ""
    types = source.types[schema, table]
    with source.streamed(schema, table, hashed) as relation:
        return _counted(source.connection, relation, {name: types[name] for name in hashed})


def _counted(connection: Connection, relation: str, hashed: Mapping[str, str]) -> tuple[int, str]:
    query = table_hash_sql(relation, hashed) if hashed else f"SELECT count(*), '' FROM {relation}"
    ((rows, digest),) = connection.execute(query).fetchall()
    return int(rows), str(digest)


def types_of(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """The DuckDB types of a table's columns, or a view's, in its order; empty if it is not there.

    Asked of the one relation: to answer for one, `duckdb_columns()` binds every view, half a second of 200 stores.
    """
    try:
        found = connection.execute(f"DESCRIBE {duck.quote(schema)}.{duck.quote(table)}").fetchall()
    except duck.not_there():
        return {}
    return {name: kind for name, kind, *_ in found}


def _columns(connection: Connection, schema: str, table: str) -> tuple[TableColumn, ...]:
    query = """
        SELECT column_name, c.type, c.pii,
            coalesce((SELECT list(t.tag ORDER BY t.tag) FROM courier.semantic_tag t WHERE (t.schema_name, t.table_name,
                t.column_name) = (c.schema_name, c.table_name, c.column_name)), []),
            coalesce((SELECT string_agg(s.reason, ', ' ORDER BY s.reason) FROM courier.column_status s WHERE
                (s.schema_name, s.table_name, s.column_name) = (c.schema_name, c.table_name, c.column_name)), '')
        FROM courier.domain_column c WHERE c.schema_name = ? AND c.table_name = ? ORDER BY c.position
    """
    rows = connection.execute(query, [schema, table]).fetchall()
    return tuple(TableColumn(name, kind, tuple(tags), pii, status) for name, kind, pii, tags, status in rows)


@contextmanager
def query(path: Path, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Answer]:
    """Run one reading statement on the published file. Raises UsageError for anything else, and for SQL mistakes.

    The connection can neither write, nor read other files, nor load extensions, nor change a setting.
    """
    with open_published(path) as connection:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            _check_reads_only(connection, sql)
            connection.execute(sql, list(parameters))
        except duck.error() as error:
            raise UsageError(str(error)) from None
        described = connection.description or []
        yield Answer(tuple(d[0] for d in described), tuple(str(d[1]) for d in described), _fetched(connection))


def _check_reads_only(connection: Connection, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise UsageError(f"A query is one statement; this is {len(statements)}.", fix="Send them one after another.")
    kind = statements[0].type.name
    if kind not in ("SELECT", "EXPLAIN"):
        raise UsageError(
            f"A query may only read, and this is {kind}.",
            fix="The warehouse is replaced by every run: make tables of your own in another DuckDB file.",
        )


def _fetched(connection: Connection, size: int = 1000) -> Iterator[tuple[Any, ...]]:
    try:
        while rows := connection.fetchmany(size):
            yield from rows
    except duck.error() as error:
        raise UsageError(str(error)) from None
