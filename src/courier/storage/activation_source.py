"""What an activation's query reads: the published file's tables, or those of Postgres, copied for the moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from courier.config.activation import Activation
from courier.config.project import DomainTable, Project
from courier.errors import UsageError
from courier.storage import duck
from courier.storage.entities import SCHEMA
from courier.storage.inspect import open_published
from courier.storage.ledger import watermarks
from courier.storage.lineage import Reading
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.snapshot import snapshot
from courier.storage.target import Target
from courier.storage.warehouse import PRIVATE, Files, Warehouse, lock, publish_if_behind
from courier.storage.warehouse import reading as reading_ledger

if TYPE_CHECKING:
    from courier.storage.connection import Connection as AnyConnection
    from courier.storage.duck import Connection


Tables: TypeAlias = Sequence[tuple[str, str]]
Loaded: TypeAlias = Mapping[tuple[str, str], Collection[str]]
"""(schema, table) -> its columns"""


@dataclass(frozen=True)
class Source:
    """A connection over which the tables of a reading are in this catalog, under their own names.

    as_of: up to when all of them are whole; None where one was never loaded whole.
    tables: schema and table; those of a fleet's schema in the schemas of its stores
    """

    connection: Connection
    catalog: str
    as_of: datetime | None
    tables: Tables


@contextmanager
def stored(project: Project, activation: Activation, warehouse: Warehouse, found: Reading) -> Iterator[Source]:
    """Raises UsageError where a table or a column of it is not loaded yet, and WarehouseUnreachable."""
    opened = _of_files if isinstance(warehouse, Files) else _of_postgres
    with opened(project, activation, warehouse, found) as source:  # type: ignore[arg-type]
        yield source


@contextmanager
def _of_files(project: Project, activation: Activation, files: Files, found: Reading) -> Iterator[Source]:
    with lock(files):
        # What was committed and not yet published would be younger than the rows.
        publish_if_behind(files)
        with reading_ledger(files, threads=1) as ledger:
            as_of = _as_of(project, ledger, found) if ledger else None
    query = """
        SELECT schema_name, table_name, list(column_name) FROM duckdb_columns()
        WHERE database_name = current_database() GROUP BY ALL
    """
    with open_published(files.published) as connection:
        there = {(schema, table): columns for schema, table, columns in connection.execute(query).fetchall()}
        tables = _of_stores(project, found, there)
        _check_loaded(there, project, activation, files, tables)
        yield Source(connection, files.published.stem, as_of, tables)


@contextmanager
def _of_postgres(project: Project, activation: Activation, database: Postgres, found: Reading) -> Iterator[Source]:
    """Only the columns upon which something depends leave the database, and all tables are of the same instant."""
    with snapshot(database) as taken:
        tables = _of_stores(project, found, taken.types)
        _check_loaded(taken.types, project, activation, database, tables)
        for schema, table in tables:
            key = _table(project, schema, table).primary_key
            taken.copy(schema, table, {*key, *of_each_store(project, found, schema, table)})
            name, order = f"{PRIVATE}.{duck.quote(schema)}.{duck.quote(table)}", ", ".join(map(duck.quote, key))
            # Postgres has no order of its own, and what any_value gives would be another one each time.
            taken.connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM {name} ORDER BY {order}")
        taken.copy("courier", "coverage")
        yield Source(taken.connection, PRIVATE, _as_of(project, taken.connection, found), tables)


def loading(warehouse: Warehouse, schema: str) -> str:
    """The command that loads a courier's tables there."""
    return f"courier run --courier {schema}{' --sandbox' if warehouse.sandbox else ''}"


def split(names: Sequence[str]) -> list[tuple[str, str]]:
    """Schema and table."""
    return [(schema, table) for schema, _, table in (name.partition(".") for name in names)]


def columns_of(project: Project, schema: str, table: str) -> dict[str, str]:
    """The columns that the YAML gives a table, with DuckDB's types."""
    return Target("", _table(project, schema, table)).types()


def _table(project: Project, schema: str, table: str) -> DomainTable:
    return project.folders[project.folder_of(schema)][table]


def _meant(project: Project, found: Reading) -> list[tuple[str, str]]:
    """Schema and table. A view of tags was checked over one store of each fleet, and means all of them."""
    names = split(found.tables)
    if not any(schema == SCHEMA for schema, _ in split(found.views)):
        return names
    whole = {project.members(name)[0]: name for name in project.fleets}
    return list(dict.fromkeys((whole.get(schema, schema), table) for schema, table in names))


def _of_stores(project: Project, found: Reading, there: Loaded) -> Tables:
    """The tables, those of a fleet's schema in the schemas of its stores: of all that were ever loaded, if any was."""
    tables = []
    for schema, table in _meant(project, found):
        members = project.members(schema)
        loaded = [one for one in members if any((one, feed.name) in there for feed in project.couriers[one].feeds)]
        tables += [(member, table) for member in loaded or members[:1]]
    return list(dict.fromkeys(tables))


def of_each_store(project: Project, found: Reading, schema: str, table: str) -> frozenset[str]:
    """The columns of a table that are needed: as its own, as one of all stores', or for a view of tags."""
    fleet = project.couriers[schema].fleet
    same = {schema} if fleet is None else {schema, fleet, project.members(fleet)[0]}
    return frozenset().union(*(found.needed_of(one, table) for one in same))


def _as_of(project: Project, ledger: AnyConnection, found: Reading) -> datetime | None:
    """The least watermark of the tables. Of a fleet's stores those count that were ever loaded."""
    by_schema: dict[str, list[str]] = {}
    for schema, table in _meant(project, found):
        by_schema.setdefault(schema, []).append(table)
    marks: list[datetime | None] = []
    for schema, feeds in by_schema.items():
        of_each = [list(watermarks(ledger, one, feeds).values()) for one in project.members(schema)]
        loaded = [own for own in of_each if any(own)]
        marks += [mark for own in loaded or of_each for mark in own]
    known = [mark for mark in marks if mark is not None]
    return min(known).astimezone(UTC) if known and len(known) == len(marks) else None


def _check_loaded(
    there: Loaded, project: Project, activation: Activation, warehouse: Warehouse, tables: Tables
) -> None:
    for schema, table in tables:
        missing = sorted(columns_of(project, schema, table).keys() - set(there.get((schema, table), ())))
        if missing:
            what = f"{schema}.{table}" if (schema, table) not in there else f"{schema}.{table}.{missing[0]}"
            message = f"{what} is not loaded yet, which {activation.sql_path} reads"
            raise UsageError(message, fix=f"{loading(warehouse, schema)} --feed {table}")
