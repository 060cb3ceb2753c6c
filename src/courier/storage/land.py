"""The one door to dlt: a run's parquet files become one load package in a landing folder of the run's own.

dlt gets the files as they are, with every column's type said in advance, so it neither parses nor infers anything.
The landing is dlt's filesystem destination: the commit reads the parquet files from there. Landing them as tables of a
DuckDB file cost 13 CPU seconds per million orders, a third of what the commit itself takes, to write what is dropped at
once. dlt's work folder, its settings and its log stay inside the run's folder, whatever the user's own set-up says.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from courier.errors import Incomplete
from courier.storage import duck
from courier.storage.instances import lent
from courier.storage.load import KEPT, Landed

if TYPE_CHECKING:
    from courier.storage.duck import Connection

FOLDER = "landing"
_WORK = "dlt"
_SETTINGS = {
    "restore_from_destination": False,  # its folder is the run's own and new: there is no state, and none is wanted
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
    """Import parquet files as one load package into `run_folder/landing/<schema>/<table>/`, afresh.

    tables: landing table -> its files, which all have the same columns. Raises Incomplete if dlt fails, if files of a
    table differ in their columns, or if a table is missing afterwards.
    """
    with landing(run_folder) as connection:
        load_package(connection, tables, run_folder, schema)
        return landed(connection, schema, run_folder, tables)


@contextmanager
def landing(run_folder: Path, memory_limit: str = duck.LITTLE_MEMORY, threads: int | None = 1) -> Iterator[Connection]:
    """A landing folder that is empty, and a connection to read files with; one landing of a process at a time.

    memory_limit, threads: as for `duck.connect`. To describe files and to count their rows takes little.
    """
    clear_landing(run_folder)
    run_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _one_at_a_time, lent(memory_limit, threads) as connection:
        yield connection


def landed(connection: Connection, schema: str, run_folder: Path, tables: Iterable[str]) -> Landed:
    """What lies in a landing folder, counted in the files themselves. Raises Incomplete where a table is missing."""
    folder = run_folder / FOLDER / schema
    load_id = _load_id(folder)
    files = {table: tuple(sorted((folder / table).glob(f"{load_id}.*.parquet"))) for table in tables}
    if missing := sorted(table for table, found in files.items() if not found):
        raise Incomplete(f"Not in the landing: {', '.join(missing)}. Nothing was committed.")
    relations = {table: duck.read_parquet(found) for table, found in files.items()}
    return Landed(load_id, relations, _counted(connection, files), files)


def clear_landing(run_folder: Path) -> None:
    """Remove a run's landing: nobody has read it, or the run would not land again."""
    for folder in (run_folder / FOLDER, run_folder / _WORK):
        shutil.rmtree(folder, ignore_errors=True)


def _describe(connection: Connection, table: str, files: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """dlt's column hints for the columns of parquet files."""
    described = [_columns(connection, file) for file in files]
    rows = [{name: kind for name, kind in found.items() if not name.startswith(KEPT)} for found in described]
    if any(found != rows[0] for found in rows):
        raise Incomplete(f"{table}: its files differ in their columns. Nothing was committed.")
    every = {name: kind for found in described for name, kind in found.items()}
    return {name: {"name": name, **_hint(kind)} for name, kind in every.items()}


def _columns(connection: Connection, file: Path) -> dict[str, str]:
    found = connection.execute(f"DESCRIBE SELECT * FROM {duck.read_parquet([file])}").fetchall()
    return {str(name): str(kind) for name, kind, *_ in found}


def _hint(kind: str) -> dict[str, Any]:
    if kind.startswith("STRUCT("):
        return {"data_type": "json"}  # of a column that was kept: whatever dlt is told, it takes the file as it is
    if kind.startswith("DECIMAL("):
        precision, scale = kind.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return {"data_type": "decimal", "precision": int(precision), "scale": int(scale)}
    return dict(_TYPES[kind])


def load_package(
    connection: Connection,
    tables: Mapping[str, Sequence[Path]],
    run_folder: Path,
    dataset: str,
    database_url: str = "",
) -> None:
    """Import parquet files as one load package: into folders, or into tables of the schema `dataset` of a database.

    Raises Incomplete if dlt fails, or if files of a table differ in their columns.
    """
    import dlt
    from dlt.pipeline.exceptions import PipelineStepFailed

    columns = {table: _describe(connection, table, files) for table, files in tables.items()}
    with _settings(run_folder / _WORK), _linking():
        pipeline = dlt.pipeline(
            "landing",
            pipelines_dir=str(run_folder / _WORK),
            destination=_destination(run_folder, database_url),
            dataset_name=dataset,
        )
        resources = [_resource(table, files) for table, files in tables.items()]
        try:
            pipeline.run(resources, schema=_schema(columns), loader_file_format="parquet")
        except PipelineStepFailed as error:
            if _is_interruption(error):
                raise KeyboardInterrupt from None
            # dlt's message may quote values of the data: only the step may be told.
            raise Incomplete(
                f"dlt could not land the run's files: it failed in the step {error.step}. Nothing was committed.",
                fix="courier retry RUN goes on from the files that were fetched",
            ) from None


def _destination(run_folder: Path, database_url: str) -> Any:
    import dlt

    if database_url:
        from courier.storage.postgres.destination import Landing

        return Landing(credentials=_credentials(database_url))
    return dlt.destinations.filesystem(bucket_url=str(run_folder / FOLDER))


def _credentials(url: str) -> dict[str, Any]:
    """In parts: of a URL dlt does not decode the database's name. It wants a password, also where none is needed."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or "none"),
        "database": unquote(parts.path.removeprefix("/")),
        "query": dict(parse_qsl(parts.query)),
    }


def _schema(columns: Mapping[str, dict[str, dict[str, Any]]]) -> Any:
    """The landing's tables. Told of a resource, columns cost dlt half as much again: it writes them down for each."""
    import dlt
    from dlt.common.schema.utils import new_table

    schema = dlt.Schema("landing")
    for table, hints in columns.items():
        schema.update_table(new_table(table, write_disposition="append", columns=list(hints.values())))
    return schema


def _is_interruption(error: BaseException | None) -> bool:
    """Whether dlt failed because of Ctrl-C, which it takes for a failure of the step that it was in."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = getattr(error, "exception", None) or error.__cause__ or error.__context__
    return False


def _resource(table: str, files: Sequence[Path]) -> Any:
    import dlt

    def marked() -> Iterator[Any]:
        for path in files:
            yield dlt.mark.with_file_import(str(path), "parquet")

    return dlt.resource(marked, name=table, table_name=table, write_disposition="append")


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


@contextmanager
def _linking() -> Iterator[None]:
    """Let dlt put files where they belong as links, where the filesystem has any.

    To copy them took 1.5 CPU seconds of a million orders, and as much room on the disk as the rows themselves.
    """
    from fsspec.implementations.local import LocalFileSystem
    from fsspec.registry import register_implementation

    class Linking(LocalFileSystem):  # type: ignore[misc]
        def put_file(self, path1: str, path2: str, callback: Any = None, **given: Any) -> None:
            Path(path2).unlink(missing_ok=True)
            try:
                os.link(path1, path2)
            except OSError:
                super().put_file(path1, path2, callback, **given)

    register_implementation("file", Linking, clobber=True)
    try:
        yield
    finally:
        register_implementation("file", LocalFileSystem, clobber=True)


def _load_id(folder: Path) -> str:
    """The one load package that dlt says is whole: its `_dlt_loads` are JSON lines."""
    lines = [line for file in (folder / "_dlt_loads").glob("*.jsonl") for line in file.read_bytes().splitlines()]
    whole = [str(load["load_id"]) for load in map(orjson.loads, lines) if load["status"] == 0]
    if len(whole) != 1:
        raise Incomplete(
            f"dlt recorded {len(whole)} whole load packages where one was expected. Nothing was committed."
        )
    return whole[0]


def _counted(connection: Connection, tables: Mapping[str, Sequence[Path]]) -> dict[str, int]:
    """The rows of each table, from the ends of its files. All at once: to ask for one takes DuckDB a millisecond."""
    listed = ", ".join(duck.text(str(file)) for files in tables.values() for file in files)
    query = f"SELECT file_name, num_rows FROM parquet_file_metadata([{listed}])"
    rows = {str(name): int(count) for name, count in connection.execute(query).fetchall()} if listed else {}
    return {table: sum(rows[str(file)] for file in files) for table, files in tables.items()}
