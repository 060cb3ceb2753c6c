"""The rows of an activation's query, read from the published file over what the project's files describe, and no more.

The query sees the tables with the columns of their YAML, and the views as their files have them: what it was checked
over. A column that the YAML lost, or a view of yesterday, could let out what nobody has looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from courier.config.activation import Activation
from courier.config.project import Project
from courier.config.suggestions import MOST_SHOWN, closest
from courier.errors import ConfigurationError, UsageError
from courier.storage import duck
from courier.storage.fleet_views import union_sql
from courier.storage.inspect import open_published
from courier.storage.ledger import watermarks
from courier.storage.lineage import Reading, reading
from courier.storage.target import Target
from courier.storage.warehouse import Files, lock, publish_if_behind
from courier.storage.warehouse import reading as reading_ledger

if TYPE_CHECKING:
    from courier.storage.duck import Connection

Loaded = Mapping[tuple[str, str], set[str]]
"""(schema, table) -> its columns"""
_OF_SQL = ("Binder Error", "Catalog Error", "Parser Error")


@dataclass(frozen=True)
class Rows:
    """A query's result, in its order. `types` are DuckDB's; decimals are Decimal, instants are in UTC.

    as_of: up to when every table that the query reads is whole; None where one was never loaded whole.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    as_of: datetime | None
    reading: Reading


def read_rows(project: Project, activation: Activation, files: Files) -> Rows:
    """Run the activation's query. It can change nothing, and reach nothing but the tables that it names.

    Raises ConfigurationError for a query with problems, a feed that is not sent, and a parameter's value that does not
    occur; UsageError where something is not loaded yet, or the query fails on the data.
    """
    found = reading(project, activation)
    if found.problems:
        first = found.problems[0]
        raise ConfigurationError(f"{first.path}:{first.line}:{first.column}: {first.message}", fix=first.fix)
    _check_feeds(project, activation, found)
    with lock(files):
        # What was committed and not yet published would be younger than the rows.
        publish_if_behind(files)
        as_of = _as_of(project, files, found)
    with _opened(project, activation, files, found) as connection:
        _check_occurrences(connection, activation)
        return _read(connection, activation, found, as_of)


def _check_feeds(project: Project, activation: Activation, found: Reading) -> None:
    """Every table that is read is a feed of its courier."""
    for schema, table in _split(found.tables):
        courier = project.courier_of(schema)
        if table not in {feed.name for feed in courier.feeds}:
            message = f"{activation.sql_path} reads {schema}.{table}, and {courier.path} does not send this feed"
            fix = f"Add the line `{table}:` to `feeds:` in {courier.path}, then: courier run --courier {schema}"
            raise ConfigurationError(message, fix=fix)


def _split(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(schema, table) for schema, _, table in (name.partition(".") for name in names)]


def _as_of(project: Project, files: Files, found: Reading) -> datetime | None:
    """The least watermark of the tables. Of a fleet's stores those count that were ever loaded."""
    with reading_ledger(files, threads=1) as ledger:
        if ledger is None:
            return None
        marks: list[datetime | None] = []
        for schema in sorted({schema for schema, _ in _split(found.tables)}):
            feeds = [table for of, table in _split(found.tables) if of == schema]
            of_each = [list(watermarks(ledger, one, feeds).values()) for one in project.members(schema)]
            loaded = [own for own in of_each if any(own)]
            marks += [mark for own in loaded or of_each for mark in own]
    known = [mark for mark in marks if mark is not None]
    return min(known).astimezone(UTC) if known and len(known) == len(marks) else None


@contextmanager
def _opened(project: Project, activation: Activation, files: Files, found: Reading) -> Iterator[Connection]:
    with open_published(files.published) as connection:
        there = _loaded(connection)
        tables = _of_members(project, found.tables, there)
        _check_loaded(there, project, activation, tables)
        views = [one for one in _split(found.views) if one not in _split(found.tables)]
        connection.execute("USE memory")
        for schema in sorted(
            {schema for schema, _ in _split((*found.tables, *found.views))} | {one for one, _ in tables}
        ):
            connection.execute(f"CREATE SCHEMA {duck.quote(schema)}")
        for schema, table in tables:
            _show_table(connection, project, files.published.stem, schema, table)
        for schema, name in views:
            for member in _members_with(project, schema, tables):
                _show_view(connection, project, member, name)
        for schema, name in _split((*found.tables, *map(".".join, views))):
            if schema in project.fleets:
                _show_all(connection, project, schema, name, _members_with(project, schema, tables))
        # One thread, in order: what a query leaves open, such as any_value, is then the same every time.
        connection.execute("SET threads = 1")
        connection.execute("SET preserve_insertion_order = true")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _loaded(connection: Connection) -> Loaded:
    query = """
        SELECT schema_name, table_name, list(column_name) FROM duckdb_columns()
        WHERE database_name = current_database() GROUP BY ALL
    """
    return {(schema, table): set(columns) for schema, table, columns in connection.execute(query).fetchall()}


def _of_members(project: Project, names: Sequence[str], there: Loaded) -> list[tuple[str, str]]:
    """The tables, those of a fleet's schema in the schemas of its stores: of all that were ever loaded, if any was."""
    found = []
    for schema, table in _split(names):
        members = project.members(schema)
        loaded = [one for one in members if any((one, feed.name) in there for feed in project.couriers[one].feeds)]
        found += [(member, table) for member in loaded or members[:1]]
    return list(dict.fromkeys(found))


def _members_with(project: Project, schema: str, tables: Sequence[tuple[str, str]]) -> list[str]:
    read = {member for member, _ in tables}
    return [member for member in project.members(schema) if member in read]


def _show_all(connection: Connection, project: Project, fleet: str, name: str, members: Sequence[str]) -> None:
    """One view over a table, or a view, of all stores."""
    tables = project.folders[project.folder_of(fleet)]
    columns = _columns(project, fleet, name) if name in tables else ()
    sql = union_sql(project.fleets[fleet], name, dict.fromkeys(members, columns), "memory")
    connection.execute(f"CREATE VIEW memory.{duck.quote(fleet)}.{duck.quote(name)} AS {sql}")


def _check_loaded(there: Loaded, project: Project, activation: Activation, tables: Sequence[tuple[str, str]]) -> None:
    for schema, table in tables:
        wanted = set(_columns(project, schema, table))
        missing = sorted(wanted - there.get((schema, table), set()))
        if missing:
            what = f"{schema}.{table}" if (schema, table) not in there else f"{schema}.{table}.{missing[0]}"
            message = f"{what} is not loaded yet, which {activation.sql_path} reads"
            raise UsageError(message, fix=f"courier run --courier {schema} --feed {table}")


def _columns(project: Project, schema: str, table: str) -> list[str]:
    return list(Target("", project.folders[project.folder_of(schema)][table]).types())


def _show_table(connection: Connection, project: Project, published: str, schema: str, table: str) -> None:
    columns = ", ".join(map(duck.quote, _columns(project, schema, table)))
    name = f"{duck.quote(schema)}.{duck.quote(table)}"
    connection.execute(f"CREATE VIEW memory.{name} AS SELECT {columns} FROM {duck.quote(published)}.{name}")


def _show_view(connection: Connection, project: Project, schema: str, name: str) -> None:
    views = project.views[project.folder_of(schema)]
    sql = next(view.sql for view in views if view.name == name)
    connection.execute(f"USE memory.{duck.quote(schema)}")
    connection.execute(f"CREATE VIEW {duck.quote(name)} AS\n{sql}")
    connection.execute("USE memory.main")


def _check_occurrences(connection: Connection, activation: Activation) -> None:
    """Every value of a parameter under `must_occur:` occurs in its column."""
    for name, written in activation.must_occur.items():
        schema, table, column = map(duck.quote, written.split("."))
        values = f"SELECT {column}::VARCHAR AS value FROM {schema}.{table} WHERE {column} IS NOT NULL"
        query = f"SELECT value, count(*) FROM ({values}) GROUP BY value ORDER BY value"
        counts = {str(value): int(count) for value, count in connection.execute(query).fetchall()}
        given = activation.parameters[name]
        for value in map(str, given if isinstance(given, list) else [given]):
            if value not in counts:
                raise _absent(activation, name, value, written, counts)


def _absent(
    activation: Activation, name: str, value: str, written: str, counts: Mapping[str, int]
) -> ConfigurationError:
    shown = [f"{one} ({count:,})" for one, count in list(counts.items())[:MOST_SHOWN]]
    more = f" and {len(counts) - MOST_SHOWN} more" if len(counts) > MOST_SHOWN else ""
    meant = closest(value, counts)
    there = f"There are: {', '.join(shown)}{more}." if counts else f"{written} holds no value at all."
    return ConfigurationError(
        f"{activation.path}: `{value}` of {name} does not occur in {written}",
        fix=f"Did you mean `{meant}`? {there}" if meant else there,
    )


def _read(connection: Connection, activation: Activation, found: Reading, as_of: datetime | None) -> Rows:
    given = {"as_of": as_of, "min_cohort_size": activation.guards.min_cohort_size, **activation.parameters}
    values = {name: given[name] for name in found.parameters}
    try:
        connection.execute(activation.sql, values)
        rows = tuple(tuple(map(_value, row)) for row in connection.fetchall())
    except duck.error() as wrong:
        raise _failed(activation, str(wrong)) from None
    described = connection.description or []
    names = tuple(str(one[0]) for one in described)
    if names != tuple(one.name for one in found.output):
        raise ConfigurationError(f"{activation.sql_path} gives other columns than it was checked with")
    return Rows(names, tuple(one.type for one in found.output), rows, as_of, found)


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(one) for one in value]
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo else value


def _failed(activation: Activation, message: str) -> UsageError:
    """What DuckDB says of the SQL; of the data only what kind of error it is, because it quotes values."""
    kind, _, said = message.split("\n")[0].partition(": ")
    what = said if kind in _OF_SQL else f"{kind} on the data"
    return UsageError(f"{activation.sql_path} failed: {what}", fix="Try the query with TRY_CAST where it reads text.")
