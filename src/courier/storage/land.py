"""The one door to dlt: a run's parquet files become one load package in a landing database of the run's own.

dlt gets the files as they are, with every column's type said in advance, so it neither parses nor infers anything.
Its work folder, its settings and its log stay inside the run's folder, whatever the user's own dlt set-up says.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from courier.errors import Incomplete
from courier.storage import duck
from courier.storage.load import Landed

if TYPE_CHECKING:
    from courier.storage.duck import Connection

DATABASE = "landing.duckdb"
_WORK = "dlt"
_SETTINGS = {
    # A message may name a value of the data, so dlt says nothing; what fails is told by its exception's class.
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
    "schema": {"naming": "direct"},
    # One worker makes small runs slower, and DuckDB uses all cores with any number.
    "load": {"workers": 4, "raise_on_failed_jobs": True},
}
_TYPES = {
    "BIGINT": {"data_type": "bigint"},
    "BOOLEAN": {"data_type": "bool"},
    "DATE": {"data_type": "date"},
    "DOUBLE": {"data_type": "double"},
    "TIMESTAMP WITH TIME ZONE": {"data_type": "timestamp"},
    "VARCHAR": {"data_type": "text"},
    "VARCHAR[]": {"data_type": "json"},
}
# dlt keeps settings per process, and couriers of a group may land in threads of one.
_one_at_a_time = threading.Lock()


def land(schema: str, tables: Mapping[str, Sequence[Path]], run_folder: Path) -> Landed:
    """Import parquet files as one load package into `run_folder/landing.duckdb`, afresh.

    tables: landing table -> its files, which all have the same columns. Landing tables are `<schema>.<table>`, with
    the files' own column names and types. Raises Incomplete if dlt fails or a table is missing afterwards.
    """
    database = run_folder / DATABASE
    _clear(run_folder)
    run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time, _database(database) as connection:
        columns = {table: _describe(connection, files) for table, files in tables.items()}
        _load(schema, tables, columns, run_folder, connection)
        landed = Landed(database, _load_id(connection, schema), _counts(connection, schema, tables))
    database.chmod(0o600)
    return landed


def landed_tables(database: Path, schema: str) -> dict[str, int]:
    """The tables of a landing database and their rows; dlt's own are left out."""
    connection = duck.connect()
    try:
        duck.attach(connection, database, "landing", read_only=True)
        query = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'landing' AND schema_name = ?"
        names = [name for (name,) in connection.execute(query, [schema]).fetchall() if not name.startswith("_dlt")]
        return {name: _count(connection, f"landing.{duck.quote(schema)}.{duck.quote(name)}") for name in names}
    finally:
        connection.close()


def _clear(run_folder: Path) -> None:
    """Remove an earlier landing of this run: nobody has read it, or the run would not land again."""
    for path in run_folder.glob(f"{DATABASE}*"):
        path.unlink()
    if (run_folder / _WORK).exists():
        shutil.rmtree(run_folder / _WORK)


@contextmanager
def _database(path: Path) -> Iterator[Connection]:
    # Not attached to a connection in memory: dlt works on clones of it, which would not know of a `USE`.
    connection = duck.connect(database=path)
    try:
        yield connection
    finally:
        connection.close()


def _describe(connection: Connection, files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """dlt's column hints for the columns of parquet files."""
    if not files:
        return {}
    described = connection.execute(f"DESCRIBE SELECT * FROM {duck.read_parquet(files)}").fetchall()
    return {name: {"name": name, **_hint(kind)} for name, kind, *_ in described}


def _hint(kind: str) -> dict[str, Any]:
    if kind.startswith("DECIMAL("):
        precision, scale = kind.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return {"data_type": "decimal", "precision": int(precision), "scale": int(scale)}
    return dict(_TYPES[kind])


def _load(
    schema: str,
    tables: Mapping[str, Sequence[Path]],
    columns: Mapping[str, dict[str, dict[str, Any]]],
    run_folder: Path,
    connection: Connection,
) -> None:
    import dlt
    from dlt.pipeline.exceptions import PipelineStepFailed

    with _settings(run_folder / _WORK):
        pipeline = dlt.pipeline(
            "landing",
            pipelines_dir=str(run_folder / _WORK),
            destination=dlt.destinations.duckdb(connection, type_mapper=_type_mapper()),
            dataset_name=schema,
        )
        resources = [_resource(table, files, columns[table]) for table, files in tables.items()]
        try:
            pipeline.run(resources, schema=dlt.Schema("landing"), loader_file_format="parquet")
        except PipelineStepFailed as error:
            # dlt's message quotes the statement and values of the data: only the step may be told.
            raise Incomplete(
                f"dlt could not land the run's files: it failed in the step {error.step}. Nothing was committed.",
                fix="Type `courier retry RUN`: it goes on from the files that were fetched.",
            ) from None


def _resource(table: str, files: Sequence[Path], columns: dict[str, dict[str, Any]]) -> Any:
    import dlt

    def marked() -> Iterator[Any]:
        for path in files:
            yield dlt.mark.with_file_import(str(path), "parquet")

    return dlt.resource(marked, name=table, table_name=table, columns=columns, write_disposition="append")


def _type_mapper() -> Any:
    """dlt has no lists of scalars; its `json` columns, of which we have no others, become VARCHAR[]."""
    from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper

    types = {**DuckDbTypeMapper.sct_to_unbound_dbt, "json": "VARCHAR[]"}
    return type("ListTypeMapper", (DuckDbTypeMapper,), {"sct_to_unbound_dbt": types})


@contextmanager
def _settings(folder: Path) -> Iterator[None]:
    """Settings of our own in place of dlt's: no environment, no config.toml, no ~/.dlt."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers import CustomLoaderDocProvider
    from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.run_context import RunContext

    context = RunContext(str(folder))
    context._global_dir = str(folder)
    pluggable = PluggableRunContext(context)
    pluggable.providers = ConfigProvidersContainer([CustomLoaderDocProvider("courier", lambda: _SETTINGS)])
    with Container().injectable_context(pluggable):
        yield


def _load_id(connection: Connection, schema: str) -> str:
    loads = f"landing.{duck.quote(schema)}._dlt_loads"
    rows = connection.execute(f"SELECT load_id FROM {loads} WHERE status = 0").fetchall()
    if len(rows) != 1:
        raise Incomplete(f"dlt recorded {len(rows)} whole load packages where one was expected. Nothing was committed.")
    return str(rows[0][0])


def _counts(connection: Connection, schema: str, tables: Mapping[str, Sequence[Path]]) -> dict[str, int]:
    query = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'landing' AND schema_name = ?"
    there = {name for (name,) in connection.execute(query, [schema]).fetchall()}
    if missing := sorted(tables.keys() - there):
        raise Incomplete(f"Not in the landing: {', '.join(missing)}. Nothing was committed.")
    return {table: _count(connection, f"landing.{duck.quote(schema)}.{duck.quote(table)}") for table in tables}


def _count(connection: Connection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()
    return int(row[0]) if row else 0
