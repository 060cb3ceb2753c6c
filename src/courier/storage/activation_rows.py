"""The rows of an activation's query, read over what the project's files describe, and no more.

The query sees the tables with the columns of their YAML, and the views as their files have them: what it was checked
over. A column that the YAML lost, or a view of yesterday, could let out what nobody has looked at. Columns upon which
nothing depends are null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from courier.config.activation import Activation
from courier.config.project import Project
from courier.config.suggestions import MOST_SHOWN, closest
from courier.errors import ConfigurationError, UsageError
from courier.storage import duck
from courier.storage.activation_source import Source, columns_of, loading, of_each_store, split, stored
from courier.storage.entities import SCHEMA, entities_of, entity_sql
from courier.storage.fleet_views import union_sql
from courier.storage.inspect import types_of
from courier.storage.lineage import Reading, reading
from courier.storage.warehouse import Warehouse

if TYPE_CHECKING:
    from courier.storage.duck import Connection

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


def read_rows(project: Project, activation: Activation, warehouse: Warehouse) -> Rows:
    """Run the activation's query. It can change nothing, and reach nothing but the tables that it names.

    Raises ConfigurationError for a query with problems, a feed that is not sent, and a parameter's value that does not
    occur; UsageError where something is not loaded yet, or the query fails on the data; WarehouseUnreachable.
    """
    found = reading(project, activation)
    if found.problems:
        first = found.problems[0]
        raise ConfigurationError(f"{first.path}:{first.line}:{first.column}: {first.message}", fix=first.fix)
    _check_feeds(project, activation, warehouse, found)
    with stored(project, activation, warehouse, found) as source:
        _show(source, project, found)
        _check_occurrences(source.connection, activation)
        return _read(source.connection, activation, found, source.as_of)


def _check_feeds(project: Project, activation: Activation, warehouse: Warehouse, found: Reading) -> None:
    """Every table that is read is a feed of its courier."""
    for schema, table in split(found.tables):
        courier = project.courier_of(schema)
        if table not in {feed.name for feed in courier.feeds}:
            message = f"{activation.sql_path} reads {schema}.{table}, and {courier.path} does not send this feed"
            fix = f"Add the line `{table}:` to `feeds:` in {courier.path}, then: {loading(warehouse, schema)}"
            raise ConfigurationError(message, fix=fix)


def _show(source: Source, project: Project, found: Reading) -> None:
    """Views of the tables and the project's own views, in a catalog that holds nothing else; then all is locked."""
    connection = source.connection
    connection.execute("USE memory")
    tables = split(found.tables)
    views = [one for one in split(found.views) if one not in tables]  # a fleet's table is a view
    for schema in sorted({schema for schema, _ in (*tables, *views, *source.tables)}):
        connection.execute(f"CREATE SCHEMA {duck.quote(schema)}")
    for schema, table in source.tables:
        _show_table(source, project, found, schema, table)
    for schema, name in views:
        if schema == SCHEMA:
            _show_entity(source, project, name)
            continue
        for member in _members(source, project, schema):
            _show_view(connection, project, member, name)
    for schema, name in (*tables, *views):
        if schema in project.fleets:
            _show_all(source, project, schema, name)
    # One thread, in order: what a query leaves open, such as any_value, is then the same every time.
    connection.execute("SET threads = 1")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _members(source: Source, project: Project, schema: str) -> list[str]:
    """The couriers of the schema whose tables are read."""
    read = {member for member, _ in source.tables}
    return [member for member in project.members(schema) if member in read]


def _show_all(source: Source, project: Project, fleet: str, name: str) -> None:
    """One view over a table, or a view, of all stores."""
    members = _members(source, project, fleet)
    is_table = name in project.folders[project.folder_of(fleet)]
    # Of a view the first store's stand for all: each is made of the same SQL over the same columns.
    types = columns_of(project, fleet, name) if is_table else types_of(source.connection, members[0], name)
    sql = union_sql(project.fleets[fleet], name, dict.fromkeys(members, types), "memory")
    source.connection.execute(f"CREATE VIEW memory.{duck.quote(fleet)}.{duck.quote(name)} AS {sql}")


def _show_table(source: Source, project: Project, found: Reading, schema: str, table: str) -> None:
    needed = of_each_store(project, found, schema, table)
    columns = ", ".join(
        duck.quote(name) if name in needed else f"NULL::{kind} AS {duck.quote(name)}"
        for name, kind in columns_of(project, schema, table).items()
    )
    name = f"{duck.quote(schema)}.{duck.quote(table)}"
    source.connection.execute(f"CREATE VIEW memory.{name} AS SELECT {columns} FROM {duck.quote(source.catalog)}.{name}")


def _show_view(connection: Connection, project: Project, schema: str, name: str) -> None:
    views = project.views[project.folder_of(schema)]
    _make_view(connection, schema, name, next(view.sql for view in views if view.name == name))


def _show_entity(source: Source, project: Project, name: str) -> None:
    found = entities_of(project, {schema for schema, _ in source.tables})
    _make_view(source.connection, SCHEMA, name, next(entity_sql(entity) for entity in found if entity.name == name))


def _make_view(connection: Connection, schema: str, name: str, sql: str) -> None:
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
