"""What an activation's query reads: the published file's tables, or those of Postgres, copied for the moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from courier.config.activation import Activation
from courier.config.project import DomainTable, Project
from courier.errors import UsageError
from courier.storage import duck
from courier.storage.inspect import open_published
from courier.storage.ledger import watermarks
from courier.storage.lineage import Reading
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.snapshot import snapshot
from courier.storage.target import Target
from courier.storage.warehouse import PRIVATE, Files, Warehouse, lock, publish_if_behind

if TYPE_CHECKING:
    from courier.storage.connection import Connection as AnyConnection
    from courier.storage.duck import Connection


@dataclass(frozen=True)
class Source:
    """A connection over which the tables of a reading are in this catalog, under their own names.

    as_of: up to when all of them are whole; None where one was never loaded whole.
    """

    connection: Connection
    catalog: str
    as_of: datetime | None


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
        as_of = _as_of(files, found)
    query = """
        SELECT schema_name, table_name, list(column_name) FROM duckdb_columns()
        WHERE database_name = current_database() GROUP BY ALL
    """
    with open_published(files.published) as connection:
        there = {(schema, table): columns for schema, table, columns in connection.execute(query).fetchall()}
        _check_loaded(there, project, activation, found)
        yield Source(connection, files.published.stem, as_of)


@contextmanager
def _of_postgres(project: Project, activation: Activation, database: Postgres, found: Reading) -> Iterator[Source]:
    """Only the columns upon which something depends leave the database, and all tables are of the same instant."""
    with snapshot(database) as taken:
        _check_loaded(taken.types, project, activation, found)
        for schema, table in split(found.tables):
            key = _table(project, schema, table).primary_key
            taken.copy(schema, table, {*key, *found.needed_of(schema, table)})
            name, order = f"{PRIVATE}.{duck.quote(schema)}.{duck.quote(table)}", ", ".join(map(duck.quote, key))
            # Postgres has no order of its own, and what any_value gives would be another one each time.
            taken.connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM {name} ORDER BY {order}")
        taken.copy("courier", "coverage")
        yield Source(taken.connection, PRIVATE, _as_of(taken.connection, found))


def split(names: Sequence[str]) -> list[tuple[str, str]]:
    """Schema and table."""
    return [(schema, table) for schema, _, table in (name.partition(".") for name in names)]


def columns_of(project: Project, schema: str, table: str) -> dict[str, str]:
    """The columns that the YAML gives a table, with DuckDB's types."""
    return Target("", _table(project, schema, table)).types()


def _table(project: Project, schema: str, table: str) -> DomainTable:
    return project.folders[project.couriers[schema].domain_tables][table]


def _as_of(warehouse: Files | AnyConnection, found: Reading) -> datetime | None:
    """The least watermark of the tables."""
    by_courier: dict[str, list[str]] = {}
    for schema, table in split(found.tables):
        by_courier.setdefault(schema, []).append(table)
    marks = [mark for courier, feeds in by_courier.items() for mark in watermarks(warehouse, courier, feeds).values()]
    known = [mark for mark in marks if mark is not None]
    return min(known).astimezone(UTC) if known and len(known) == len(marks) else None


def _check_loaded(
    there: Mapping[tuple[str, str], Collection[str]], project: Project, activation: Activation, found: Reading
) -> None:
    for schema, table in split(found.tables):
        missing = sorted(columns_of(project, schema, table).keys() - set(there.get((schema, table), ())))
        if missing:
            what = f"{schema}.{table}" if (schema, table) not in there else f"{schema}.{table}.{missing[0]}"
            message = f"{what} is not loaded yet, which {activation.sql_path} reads"
            raise UsageError(message, fix=f"courier run --courier {schema} --feed {table}")
