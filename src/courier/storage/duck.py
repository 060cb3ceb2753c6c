"""The one door to DuckDB: connections with courier's settings, and the names of its types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from courier.config.project import ColumnType
from courier.storage.connection import Connection as AnyConnection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    Connection: TypeAlias = DuckDBPyConnection

# Readable by DuckDB 1.5 and later, so that a BI tool need not be as new as courier.
STORAGE_VERSION = "v1.5.0"
MEMORY_LIMIT = "512MB"
LITTLE_MEMORY = "128MB"
"""Enough for reading a few rows and deciding about them. Steps of a run that come one after another ask for the same:
whenever the limit changes, DuckDB gives Linux all its free memory back, and gets it cleared once more."""

_TYPES = {
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMPTZ",
    "float": "DOUBLE",
    "integer": "BIGINT",
    "json": "VARCHAR",  # a text that is JSON: DuckDB 1.x and every BI tool can read it
    "string": "VARCHAR",
    "string[]": "VARCHAR[]",
}


def connect(
    memory_limit: str = MEMORY_LIMIT,
    database: Path | None = None,
    threads: int | None = None,
    spill: Path | None = None,
) -> Connection:
    """A connection in UTC that never downloads an extension: in memory, to `attach` files to, or to one file.

    threads: None for one per core. With one there is nobody to hand small work to, which saves a tenth of its time.
    spill: a folder that only its owner may enter, for what does not fit into memory; without one it has to fit.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        # Left to itself DuckDB would spill customers' data into `.tmp` of the folder that somebody happens to be in.
        "temp_directory": str(spill) if spill else "",
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    connection = duckdb.connect(database or ":memory:", config=config)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def leave_untidy(connection: AnyConnection) -> None:
    """Let checkpoints of this connection's files leave deleted rows where they are, and small groups of rows small."""
    connection.execute("SET GLOBAL max_vacuum_tasks = 0")


def tidy(connection: AnyConnection) -> None:
    """Let the next checkpoint fill the gaps of deleted rows."""
    connection.execute("RESET GLOBAL max_vacuum_tasks")


def attach(
    connection: Connection, path: Path, name: str, *, read_only: bool = False, block_size: int | None = None
) -> None:
    """Attach a database file, created in a format that older DuckDB releases can read.

    block_size: of a file that is made now. A table takes one block at least: 200 stores of 13 small tables take 700 MB
    in DuckDB's own of 256 KB, and 65 MB in such of 16 KB.
    """
    option = "READ_ONLY" if read_only else f"STORAGE_VERSION '{STORAGE_VERSION}'"
    if block_size is not None and not path.exists():
        option += f", BLOCK_SIZE {block_size}"
    connection.execute(f"ATTACH {text(str(path))} AS {quote(name)} ({option})")


def error() -> type[Exception]:
    """The class of everything that DuckDB raises, for an `except` clause."""
    import duckdb

    return duckdb.Error


def not_there() -> tuple[type[Exception], ...]:
    """The classes of what DuckDB raises for a table or a view that is not there, or reads what is not there."""
    import duckdb

    return duckdb.CatalogException, duckdb.BinderException


def out_of_memory() -> tuple[type[Exception], ...]:
    """The classes of what DuckDB raises where its memory limit is too low for what it cannot spill."""
    import duckdb

    return (duckdb.OutOfMemoryException,)


def unreadable() -> tuple[type[Exception], ...]:
    """The classes of what DuckDB raises for data that it cannot read, not for a mistake in SQL or a full disk."""
    import duckdb

    # A message that quotes the data can be cut off inside a character, which then is what Python stumbles over.
    return duckdb.DataError, duckdb.InvalidInputException, UnicodeDecodeError


def duck_type(column_type: ColumnType) -> str:
    """`DECIMAL(19,4)` for decimal, `VARCHAR[]` for string[]."""
    if column_type.name == "decimal":
        return f"DECIMAL({column_type.precision or 19},{4 if column_type.scale is None else column_type.scale})"
    return _TYPES[column_type.name]


def quote(name: str) -> str:
    """An identifier: `order` becomes `"order"`."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal."""
    return "'" + value.replace("'", "''") + "'"


def read_parquet(paths: Iterable[Path]) -> str:
    """A relation over parquet files that all have the same columns; "" where there is no file."""
    files = ", ".join(text(str(path)) for path in paths)
    return f"read_parquet([{files}])" if files else ""


def is_io(error: BaseException) -> bool:
    """Whether DuckDB could not read or write a file. Asking costs no import of it."""
    return type(error).__name__ in ("IOException", "FatalException") and type(error).__module__.endswith("duckdb")


def is_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C came while DuckDB was at work: it then raises a RuntimeError of its own."""
    return isinstance(error, RuntimeError) and str(error) == "Query interrupted"
