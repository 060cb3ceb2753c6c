"""Chosen tables of a database as of one instant, in a private DuckDB: what reads DuckDB then reads them unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from courier.errors import UsageError
from courier.storage import duck
from courier.storage.instances import lent
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.session import COLUMNS, LANDING, duck_word
from courier.storage.postgres.streams import Instant, instant, lost, permitted
from courier.storage.warehouse import PRIVATE

if TYPE_CHECKING:
    from courier.storage.duck import Connection

LEDGER = (
    "domain_table",
    "domain_column",
    "semantic_tag",
    "column_status",
    "metafield_namespace",
    "view",
    "coverage",
    "source_identity",
)
"""The tables of the schema `courier` that say what there is: few rows, however many the domain tables have."""
_STREAM = "courier_stream"
_VIEWS = """
    SELECT n.nspname, c.relname, coalesce(obj_description(c.oid, 'pg_class'), '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'v' AND n.nspname IN ({among}) ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Snapshot:
    """A DuckDB connection into which tables are copied under their own names; `private` is its default database.

    All that is copied, counted or streamed is of the same instant. What does not fit into memory goes into a folder
    that only its owner may enter, and that goes with the snapshot.
    """

    connection: Connection
    instant: Instant

    @cached_property
    def types(self) -> dict[tuple[str, str], dict[str, str]]:
        """(schema, table or view) -> column -> DuckDB type, in their order."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, kind in self.instant.fetch(
            COLUMNS.format(also="").replace("%s", duck.text(LANDING))
        ):
            found.setdefault((schema, table), {})[column] = duck_word(kind)
        return found

    def copy(self, schema: str, table: str, columns: Iterable[str] | None = None, *, rows: bool = True) -> None:
        """Copy the table with these columns, or all it has, in its order. Without `rows` only what it looks like.

        Raises UsageError where it is not there, or lacks a column; and WarehouseUnreachable.
        """
        types = self._chosen(schema, table, columns)
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {PRIVATE}.{duck.quote(schema)}")
        name = f"{PRIVATE}.{_name(schema, table)}"
        declared = ", ".join(f"{duck.quote(column)} {kind}" for column, kind in types.items())
        self.connection.execute(f"CREATE TABLE {name} ({declared})")
        if rows:
            with self.streamed(schema, table, list(types)) as relation:
                self.connection.execute(f"INSERT INTO {name} FROM {relation}")

    def copy_ledger(self) -> None:
        """Copy what the database says of its tables; nothing where nothing was ever committed."""
        for table in LEDGER:
            if ("courier", table) in self.types:
                self.copy("courier", table)

    @contextmanager
    def streamed(self, schema: str, table: str, columns: Sequence[str] | None = None) -> Iterator[str]:
        """A relation of DuckDB over the table's rows as they arrive, for one query that is fetched to its end.

        Raises as `copy` does.
        """
        types = self._chosen(schema, table, columns)
        asked = ", ".join(map(duck.quote, types))
        query = f"SELECT {asked} FROM {_name(schema, table)}"
        with permitted(self.instant.shown), self.instant.batches(query) as reader:
            self.connection.register(_STREAM, reader)
            try:
                typed = ", ".join(f"{duck.quote(name)}::{kind} AS {duck.quote(name)}" for name, kind in types.items())
                yield f"(SELECT {typed} FROM {_STREAM})"
            except duck.error() as wrong:
                if "[libpq]" in str(wrong):  # the stream broke off, which DuckDB tells as a mistake in what it reads
                    raise lost(self.instant.shown) from None
                raise
            finally:
                self.connection.unregister(_STREAM)

    def count(self, schema: str, table: str) -> int:
        """How many rows the table or view has."""
        with permitted(self.instant.shown):
            return int(self.instant.fetch(f"SELECT count(*) FROM {_name(schema, table)}")[0][0])

    def views(self, *schemas: str) -> list[tuple[str, str, str]]:
        """Schema, name and comment of the views of these schemas, by name."""
        among = ", ".join(map(duck.text, schemas))
        return [(schema, view, comment) for schema, view, comment in self.instant.fetch(_VIEWS.format(among=among))]

    def _chosen(self, schema: str, table: str, columns: Iterable[str] | None) -> Mapping[str, str]:
        there = self.types.get((schema, table), {})
        wanted = set(there if columns is None else columns)
        if missing := sorted(wanted - there.keys()) or ([] if there else [table]):
            what = f"{schema}.{table}.{missing[0]}" if there else f"{schema}.{table}"
            raise UsageError(f"{what} is not loaded yet", fix=f"courier run --courier {schema} --feed {table}")
        return {name: kind for name, kind in there.items() if name in wanted}


def _name(schema: str, table: str) -> str:
    return f"{duck.quote(schema)}.{duck.quote(table)}"


@contextmanager
def snapshot(database: Postgres, folder: Path | None = None) -> Iterator[Snapshot]:
    """A snapshot with nothing in it yet. folder: where its own folder is made; else where temporary files go.

    Raises WarehouseUnreachable.
    """
    with ExitStack() as cleanup:
        taken = cleanup.enter_context(instant(database))
        private = cleanup.enter_context(TemporaryDirectory(prefix="reading-", dir=folder))
        connection = cleanup.enter_context(lent(spill=Path(private) / "spill"))
        connection.execute(f"ATTACH ':memory:' AS {PRIVATE}")
        connection.execute(f"USE {PRIVATE}")
        yield Snapshot(connection, taken)
