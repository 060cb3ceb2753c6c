"""A person's question to a database, in Postgres's own SQL: one statement, in a transaction that can change nothing.

It is sent as it is to be judged: the protocol takes one statement, and says what columns it gives. Then Postgres turns
their values into text, which it has for every type, infinite times and ranges included; Arrow has not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from courier.errors import UsageError
from courier.storage.duck import quote
from courier.storage.inspect import Answer
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.session import duck_word
from courier.storage.postgres.streams import Instant, error, instant, lost, said

_READING = ("select", "with", "values", "table", "explain", "show", "")
_TOLD = ("explain", "show")
"""Statements that cannot stand in a FROM. Their columns are text."""
_COMMENT = r"--[^\n]*(?:\n|\Z)|(?>/\*.*?\*/)"
_BEFORE = re.compile(rf"(?:\s|\(|{_COMMENT})*+", re.DOTALL)
_END = re.compile(rf";(?:\s|;|{_COMMENT})*+\Z", re.DOTALL)
_QUOTED = re.compile(r'".*"', re.DOTALL)
_ONE = "42601"
_NAMES = {
    "bool": "boolean",
    "bpchar": "text",
    "float4": "float",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "timestamptz": "timestamp with time zone",
    "varchar": "text",
}


@contextmanager
def ask(database: Postgres, sql: str) -> Iterator[Answer]:
    """Run one reading statement. Raises UsageError for anything else and for mistakes, and WarehouseUnreachable.

    Rows are read as they are asked for. Nothing that the statement does outlasts it: the transaction is taken back.
    """
    _check_reads(sql)
    with instant(database) as one:
        columns = _columns(one, sql)
        word = _first_word(sql)
        query = sql if word in _TOLD else _as_text(sql, [kind for _, kind in columns])
        readers = [str if word in _TOLD else _reader(kind) for _, kind in columns]
        types = tuple(_word(kind) for _, kind in columns)
        with closing(_rows(one, query, readers, word not in _TOLD)) as rows:
            yield Answer(tuple(name for name, _ in columns), types, rows)


def _check_reads(sql: str) -> None:
    word = _first_word(sql)
    if word not in _READING:
        raise UsageError(
            f"A query may only read, and this is {word.upper()}.", fix="SELECT, WITH, VALUES, TABLE, SHOW or EXPLAIN."
        )


def _first_word(sql: str) -> str:
    begun = _BEFORE.match(sql)
    found = re.compile(r"\w*").match(sql, begun.end() if begun else 0)
    return found[0].lower() if found else ""


def _columns(one: Instant, sql: str) -> list[tuple[str, str]]:
    """Names and Postgres's types. Nothing of the data can be in what is wrong, as nothing was run."""
    try:
        columns = one.described(sql) if sql.strip() else []
    except error() as wrong:
        if getattr(wrong, "sqlstate", "") == _ONE and "multiple commands" in str(wrong):
            raise UsageError("A query is one statement; this is several.", fix="Send them one after another.") from None
        raise UsageError(said(wrong, whole=True)) from None
    if not columns:
        raise UsageError("A query gives columns; this gives none.")
    return columns


def _as_text(sql: str, kinds: Sequence[str]) -> str:
    """The statement with every value as text, on lines of its own: it may end in a comment."""
    names = [f"c{number}" for number in range(len(kinds))]
    made = [f"{_text(name, kind)} AS {name}" for name, kind in zip(names, kinds, strict=True)]
    return f"SELECT {', '.join(made)} FROM (\n{_END.sub('', sql)}\n) AS {quote('asked')}({', '.join(names)})"


def _text(name: str, kind: str) -> str:
    return f"to_json({name})::text" if kind.startswith("_") else f"{name}::text"


def _rows(
    one: Instant, query: str, readers: Sequence[Callable[[str], Any]], copied: bool
) -> Generator[tuple[Any, ...]]:
    try:
        with closing(one.rows(query, copied=copied)) as found:
            for row in found:
                yield tuple(None if value is None else read(value) for read, value in zip(readers, row, strict=True))
    except (*_broken(), error()) as wrong:
        raise _failed(one, wrong) from None


def _broken() -> tuple[type[Exception], ...]:
    """What a stream of Arrow raises where it breaks off."""
    from pyarrow import ArrowException

    return ArrowException, OSError


def _failed(one: Instant, wrong: Exception) -> Exception:
    """What Postgres says of the statement as it runs, without the values that it quotes: they may be a customer's."""
    message = said(wrong)
    if not message or "FATAL:" in str(wrong):
        return lost(one.shown)
    if "read-only transaction" in message or "data-modifying" in message:
        return UsageError(f"A query may only read: {_QUOTED.sub('a value', message)}.")
    return UsageError(_QUOTED.sub("a value", message))


def _word(kind: str) -> str:
    """DuckDB's name of the type: `int8` is BIGINT, `_text` VARCHAR[]."""
    if kind.startswith("_"):
        return f"{_word(kind[1:])}[]"
    return duck_word(_NAMES.get(kind, kind))


def _reader(kind: str) -> Callable[[str], Any]:
    return _READERS.get(kind, orjson.loads if kind.startswith("_") else str)


def _instant(text: str) -> datetime | str:
    """`infinity` and years before Christ stay text: Python has neither."""
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return text


def _date(text: str) -> date | str:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return text


def _flag(text: str) -> bool:
    return text == "true"


def _numerics(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


_READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), int),
    **dict.fromkeys(("float4", "float8"), float),
    **dict.fromkeys(("timestamp", "timestamptz"), _instant),
    "_numeric": _numerics,
    "bool": _flag,
    "date": _date,
    "numeric": Decimal,
}
