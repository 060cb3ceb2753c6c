"""A small shop for the tests of the load path: its tables, and loads written as parquet by DuckDB."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from courier.clock import Interval
from courier.config.project import Column, ColumnType, DomainTable, Feed, RowPath, SemanticTag, Source, Step
from courier.storage.commit import commit, commit_on
from courier.storage.duck import connect, quote, text
from courier.storage.ledger_tables import create_ledger
from courier.storage.load import Committed, Counters, FeedLoad, RecordError, RunRecord
from courier.storage.postgres.database import Postgres
from courier.storage.tables import existing
from courier.storage.target import Target, parent_type
from courier.storage.warehouse import PRIVATE, Files, Warehouse, opened

if TYPE_CHECKING:
    from courier.storage.connection import Connection
    from courier.storage.duck import Connection as DuckConnection

SCHEMA = "shop"
TAGS = (SemanticTag("email", ColumnType("string"), False, True, ()),)
_numbers = itertools.count()


def at(second: int) -> datetime:
    """An instant of the tests' own calendar."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def column(name: str, kind: str = "string", *steps: str, climb: int = 0, **more: Any) -> Column:
    source = Source("field", tuple(Step(step) for step in steps or (name,)), climb, text=name)
    return Column(name, ColumnType(kind), (source,), **more)  # type: ignore[arg-type]


ORDER = DomainTable(
    "order",
    "domain_tables/shop/order.yaml",
    RowPath("Order"),
    ("id",),
    (
        column("id", "integer", "legacyResourceId"),
        column("email", tags=("email",), pii=True),
        column("total", "decimal"),
        column("labels", "string[]"),
        column("updated_at", "datetime", "updatedAt"),
    ),
    last_updated="updated_at",
)
# The line's own column holds its order's key; an allocation's parent is only known from the side table.
LINE = DomainTable(
    "order_line",
    "domain_tables/shop/order_line.yaml",
    RowPath("Order", (("lineItems",),)),
    ("id",),
    (
        column("id", "integer"),
        column("order_id", "integer", "legacyResourceId", climb=1),
        column("title"),
    ),
    parent="order",
)
ALLOCATION = DomainTable(
    "allocation",
    "domain_tables/shop/allocation.yaml",
    RowPath("Order", (("lineItems",), ("discountAllocations",))),
    ("line_id", "index"),
    (column("line_id", "integer", "id", climb=1), column("index", "integer"), column("amount", "decimal")),
    parent="order",
)
PLACE = DomainTable(
    "place",
    "domain_tables/shop/place.yaml",
    RowPath("Location"),
    ("id",),
    (column("id", "integer"), column("name"), column("default", "boolean")),
)


@dataclass(frozen=True)
class Set:
    """The rows of one parent, as one response gave them."""

    parent: int
    version: int | None  # None: of a parent that has no last_updated
    rows: Sequence[Mapping[str, Any]] = ()
    fetched: int = 0
    held: bool = False


def store(
    warehouse: Warehouse, *loads: FeedLoad, run: str | None = None, identity: str = "shop-1", **more: Any
) -> Committed:
    """Commit a run of its own unless it is named."""
    return commit(warehouse, _record(run, identity, more), loads, TAGS, SCHEMA)


def _record(run: str | None, identity: str, more: Mapping[str, Any]) -> RunRecord:
    record = RunRecord(run or f"run-{next(_numbers)}", SCHEMA, "shopify", identity, "2026-01-01T00:00:00Z", None)
    return replace(record, **more)


@dataclass
class Shop:
    """A project in a temporary folder, its rows in DuckDB's files or in a database.

    Every load is a run of its own unless it says otherwise.
    connection: what its private database stays attached to; None for a file that is opened for each load, and closed.
    """

    root: Path
    database: Postgres | None = None
    connection: DuckConnection | None = None

    @property
    def files(self) -> Files:
        return Files.of(self.root)

    @property
    def warehouse(self) -> Warehouse:
        return self.database or self.files

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        if self.connection:
            with self.connection.cursor() as session:  # which has no temporary tables of the load before
                session.execute("SET TimeZone = 'UTC'")
                yield session
        else:
            with opened(self.warehouse, threads=1) as connection:
                yield connection

    def load(self, *loads: FeedLoad, run: str | None = None, identity: str = "shop-1", **more: Any) -> Committed:
        with self._opened() as connection:
            return commit_on(connection, _record(run, identity, more), loads, TAGS, SCHEMA)

    def one(self, load: FeedLoad) -> Counters:
        return self.load(load).counters[load.feed.name]

    def rows(self, table: DomainTable, columns: str = "*") -> list[tuple[Any, ...]]:
        """The stored rows, without `_fetched_at` and `_run` unless they are asked for."""
        chosen = ", ".join(quote(c.name) for c in table.columns) if columns == "*" else columns
        return self.ask(f"SELECT {chosen} FROM {Target(SCHEMA, table).name}")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, in order; nulls come last."""
        with self._opened() as connection:
            found = connection.execute(query).fetchall()
        return sorted(found, key=lambda row: [(value is None, value) for value in row])

    def columns(self, relation: str) -> list[str]:
        """The columns of a table or view; none where it is not there."""
        with self._opened() as connection:
            return list(existing(connection, SCHEMA).get((SCHEMA, relation), ()))

    def rows_load(
        self, table: DomainTable, rows: Sequence[Mapping[str, Any]], fetched: int = 0, **more: Any
    ) -> FeedLoad:
        """A load of records that stand for themselves. A row may carry its own `_fetched_at`."""
        stamped = [{"_fetched_at": at(fetched), **row} for row in rows]
        types = {name: kind for name, kind in Target(SCHEMA, table).types().items() if name != "_run"}
        return _feed_load(table, relation(types, stamped), len(rows), **more)

    def sets_load(self, table: DomainTable, sets: Sequence[Set], parent: DomainTable = ORDER, **more: Any) -> FeedLoad:
        own = {name: kind for name, kind in Target(SCHEMA, table).types().items() if name != "_run"}
        marks = {"_set": "BIGINT", "_parent": parent_type(parent)}
        answers = {**marks, "_version": "TIMESTAMPTZ", "_fetched_at": "TIMESTAMPTZ", "_held": "BOOLEAN"}
        rows, answered = [], []
        for number, one in enumerate(sets):
            which = {"_set": number, "_parent": one.parent, "_fetched_at": at(one.fetched)}
            answered.append({**which, "_version": None if one.version is None else at(one.version), "_held": one.held})
            rows += [{**row, **which} for row in one.rows]
        offered = relation({**own, **marks, "_fetched_at": "TIMESTAMPTZ"}, rows)
        return _feed_load(table, offered, len(rows), parent=parent, sets=relation(answers, answered), **more)

    def deletes(self, keys: Mapping[int, int]) -> str:
        """Key -> the second at which it was deleted."""
        rows = [{"key": str(key), "deleted_at": at(second)} for key, second in keys.items()]
        return relation({"key": "VARCHAR", "deleted_at": "TIMESTAMPTZ"}, rows)


@contextmanager
def shop_in_memory() -> Iterator[Shop]:
    """A shop that no file holds, with an empty ledger: to open a file takes 30 ms for each load. One at a time."""
    connection = _memory()
    connection.execute(f"ATTACH ':memory:' AS {PRIVATE}")
    try:
        connection.execute(f"COPY FROM DATABASE ledger TO {PRIVATE}")
        yield Shop(Path("nowhere"), connection=connection)
    finally:
        connection.execute(f"DETACH {PRIVATE}")


@cache
def _memory() -> DuckConnection:
    """A connection that has an empty ledger to copy, which takes 1 ms, and to create one 30."""
    connection = connect(threads=1)
    connection.execute(f"ATTACH ':memory:' AS {PRIVATE}; ATTACH ':memory:' AS ledger")
    create_ledger(connection, {})
    connection.execute(f"COPY FROM DATABASE {PRIVATE} TO ledger; DETACH {PRIVATE}")
    return connection


def relation(types: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as a subquery: what a parquet file would give, and its virtual columns, without the time to write one."""
    values = [f"({', '.join(_literal(row.get(name), kind) for name, kind in types.items())})" for row in rows]
    names = ", ".join(quote(name) for name in types)
    if values:
        own = "0 AS file_index, row_number() OVER () AS file_row_number"
        return f"(SELECT *, {own} FROM (VALUES {', '.join(values)}) given({names}))"
    nulls = ", ".join(f"NULL::{kind}" for kind in types.values())
    own = "(SELECT 0 AS file_index, 0 AS file_row_number)"
    return f"(SELECT * FROM (VALUES ({nulls})) given({names}), {own} WHERE false)"


def _literal(value: Any, kind: str) -> str:
    if isinstance(value, list):
        return f"[{', '.join(text(str(one)) for one in value)}]::{kind}"
    return f"NULL::{kind}" if value is None else f"{text(str(value))}::{kind}"


def write_parquet(path: Path, types: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> Path:
    connection = connect()
    connection.execute(f"CREATE TABLE rows ({', '.join(f'{quote(name)} {kind}' for name, kind in types.items())})")
    values = [[row.get(name) for name in types] for row in rows]
    if values:
        connection.executemany(f"INSERT INTO rows VALUES ({', '.join('?' for _ in types)})", values)
    connection.execute(f"COPY rows TO {text(str(path))} (FORMAT parquet)")
    connection.close()
    return path


def _feed_load(
    table: DomainTable, offered: str, rows: int, errors: int = 0, load: str = "upsert", **more: Any
) -> FeedLoad:
    found = tuple(
        RecordError(table.name, "raw.jsonl", n + 1, "id", "text of 3 characters", "not an integer")
        for n in range(errors)
    )
    everything = Interval(None, at(1000))
    settings = {"period": everything, "request": everything, **more}
    return FeedLoad(Feed(table.name, table, load), offered, rows + errors, errors=found, **settings)  # type: ignore[arg-type]
