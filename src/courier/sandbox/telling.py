"""What a source's domain tables should hold, told by SQL over the made-up history's own tables.

The tables go into an in-memory DuckDB as schema `made`; one query per domain table (`truth_sql/` beside the source's
code) then says what a correct pull ends with. Nothing here knows how an API sends a value.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import orjson

from courier.config.suggestions import did_you_mean
from courier.errors import UsageError
from courier.sandbox.history.differing import differing
from courier.sandbox.history.rows import History
from courier.sandbox.shop import Shop
from courier.storage.duck import quote, text
from courier.storage.hashes import table_hash_sql
from courier.storage.instances import lent

if TYPE_CHECKING:
    pass

_TYPES = {int: "BIGINT", str: "VARCHAR", bool: "BOOLEAN", float: "DOUBLE"}


@dataclass(frozen=True)
class TableTruth:
    """One domain table: how many rows, and the hash that `courier tables --hash` must show too."""

    table: str
    rows: int
    hash: str


@dataclass(frozen=True)
class TableChange:
    """What a change did to one domain table's rows."""

    table: str
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class Books:
    """What one source's truth is told from.

    source: names the schema of the shipped courier, and the package under courier.sandbox that has `truth_sql/`
    keys:   domain table -> what tells one row from another
    loaded: the domain tables of the feeds that are turned on by default
    made:   for these domain tables, the history's tables that their queries read -> class of their rows
    rows:   the rows of one of them
    macros: SQL that the queries share; `shop_currency()` is always there
    whole:  its tables hold sums, so that what a change does is only seen in the whole shop
    """

    source: str
    keys: Mapping[str, tuple[str, ...]]
    loaded: tuple[str, ...]
    made: Callable[[Iterable[str]], Mapping[str, type]]
    rows: Callable[[History, str], Iterable[Any]]
    macros: str = ""
    whole: bool = False


def truth(shop: Shop, books: Books, tables: Iterable[str] = ()) -> list[TableTruth]:
    """Rows and hash of the domain tables that are loaded by default, or of the tables asked for.

    Raises UsageError for a table that there is not.
    """
    wanted = tuple(tables) or books.loaded
    for table in wanted:
        if table not in books.keys:
            raise UsageError(f"the sandbox knows no table `{table}`", fix=did_you_mean(table, books.keys))
    with Truth(books) as told:
        told.tell("truth", shop.history, shop.options.currency, wanted)
        return [told.hashed("truth", table) for table in wanted]


def truth_tables(shop: Shop, books: Books, tables: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of several domain tables, each ordered by its key: for looking at when hashes differ."""
    wanted = tuple(tables)
    with Truth(books) as told:
        told.tell("truth", shop.history, shop.options.currency, wanted)
        return {table: told.listed("truth", table) for table in wanted}


def change(shop: Shop, orders: int, told_by: Iterable[Books]) -> list[TableChange]:
    """Change the shop at the present second, and tell what that means for each domain table of each source."""
    shop.refresh()
    whole = shop.history
    shop.add({"kind": "change", "at": shop.seconds(), "orders": orders, "number": len(shop.changes)})
    states, moved = (whole, shop.history), differing(whole, shop.history)
    return [
        one for books in told_by for one in _changes(books, *(states if books.whole else moved), shop.options.currency)
    ]


def _changes(books: Books, before: History, after: History, currency: str) -> list[TableChange]:
    with Truth(books) as told:
        told.tell("before", before, currency, books.loaded)
        told.tell("after", after, currency, books.loaded)
        return [told.compared(table) for table in books.loaded]


class Truth:
    """A database in memory that the truth is told in, in one schema per state of the shop."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._ending = ExitStack()
        self._folder = Path(self._ending.enter_context(TemporaryDirectory(prefix="courier-sandbox-")))
        self._connection = self._ending.enter_context(lent(spill=self._folder / "spill"))
        self._connection.execute("ATTACH ':memory:' AS told; USE told")
        if books.macros:
            self._connection.execute(books.macros)

    def __enter__(self) -> Truth:
        return self

    def __exit__(self, *error: Any) -> None:
        self._ending.__exit__(*error)

    def tell(self, schema: str, history: History, currency: str, tables: Iterable[str]) -> None:
        """Make the domain tables of a history in `schema`."""
        run = self._connection.execute
        tables = tuple(tables)
        run(f"CREATE SCHEMA {schema}; CREATE SCHEMA made")
        run(f"CREATE OR REPLACE MACRO shop_currency() AS {text(currency)}")
        for name, kind in self._books.made(tables).items():
            self._load(self._folder / name, name, kind, self._books.rows(history, name))
        for table in tables:
            run(f"CREATE TABLE {schema}.{quote(table)} AS {_query(self._books.source, table)}")
        run("DROP SCHEMA made CASCADE")

    def _load(self, path: Path, name: str, kind: type, made: Iterable[Any]) -> None:
        with path.open("wb", buffering=1024 * 1024) as lines:  # a million orders have five million
            lines.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in made)
        wanted = ", ".join(f"{text(field)}: {text(_type(hint))}" for field, hint in get_type_hints(kind).items())
        source = f"read_json({text(str(path))}, format = 'newline_delimited', columns = {{{wanted}}})"
        self._connection.execute(f"CREATE TABLE made.{quote(name)} AS FROM {source}")
        path.unlink()

    def columns(self, schema: str, table: str) -> dict[str, str]:
        described = self._connection.execute(f"DESCRIBE {schema}.{quote(table)}").fetchall()
        return {str(row[0]): _named(str(row[1])) for row in described}

    def hashed(self, schema: str, table: str) -> TableTruth:
        sql = table_hash_sql(f"{schema}.{quote(table)}", self.columns(schema, table))
        found = self._connection.execute(sql).fetchone()
        assert found is not None
        return TableTruth(f"{self._books.source}.{table}", int(found[0]), str(found[1]))

    def listed(self, schema: str, table: str) -> list[dict[str, Any]]:
        order = ", ".join(quote(name) for name in self._books.keys[table])
        found = self._connection.execute(f"FROM {schema}.{quote(table)} ORDER BY {order}").fetchall()
        names = list(self.columns(schema, table))
        return [dict(zip(names, row, strict=True)) for row in found]

    def compared(self, table: str) -> TableChange:
        key = " AND ".join(f"b.{quote(name)} = a.{quote(name)}" for name in self._books.keys[table])
        first = quote(self._books.keys[table][0])
        sql = f"""
            SELECT
                count(*) FILTER (b.{first} IS NULL),
                count(*) FILTER (b.{first} IS NOT NULL AND a.{first} IS NOT NULL AND b IS DISTINCT FROM a),
                count(*) FILTER (a.{first} IS NULL)
            FROM before.{quote(table)} AS b FULL JOIN after.{quote(table)} AS a ON {key}
        """
        found = self._connection.execute(sql).fetchone()
        assert found is not None
        return TableChange(f"{self._books.source}.{table}", int(found[0]), int(found[1]), int(found[2]))


@lru_cache
def _query(source: str, table: str) -> str:
    return resources.files(f"courier.sandbox.{source}").joinpath(f"truth_sql/{table}.sql").read_text("utf-8")


def _named(duck_type: str) -> str:
    return "TIMESTAMPTZ" if duck_type == "TIMESTAMP WITH TIME ZONE" else duck_type


def _type(hint: Any) -> str:
    """The DuckDB type of a row class's field."""
    if get_origin(hint) in (Union, types.UnionType):
        return _type(next(i for i in get_args(hint) if i is not type(None)))
    if get_origin(hint) is tuple:
        return f"{_type(get_args(hint)[0])}[]"
    if hint in _TYPES:
        return _TYPES[hint]
    inner = ", ".join(f"{quote(name)} {_type(part)}" for name, part in get_type_hints(hint).items())
    return f"STRUCT({inner})"
