"""The `sql` of a column: one scalar DuckDB expression over `$1..$n`, checked before any run and bound when one shapes.

An expression is taken apart by DuckDB's own parser. It may hold what gives the same answer whenever and wherever it is
asked: no subquery, no aggregate, no star, no function that reads a clock, a setting, a sequence or chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import orjson

from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Column, DomainTable, Project
from courier.errors import ConfigurationError
from courier.storage.duck import error, quote
from courier.storage.instances import lent

if TYPE_CHECKING:
    from courier.storage.duck import Connection

_FORBIDDEN = {
    "SUBQUERY": "a subquery",
    "STAR": "a star",
    "WINDOW": "a window function",
    "POSITIONAL_REFERENCE": "a positional reference",
    "DEFAULT": "the word default",
}
# DuckDB calls the first two consistent, though they read the clock; `unnest` is in no list of functions.
_ALSO_REFUSED = {
    "current_localtime": "can give another value at each run",
    "current_localtimestamp": "can give another value at each run",
    "unnest": "makes rows",
}
_FIX = "write one scalar DuckDB expression over $1..$n, as lower($1)"
Listed = tuple[str, list[str], list[str | None], str | None]
"""A function: its name, what it is (scalar, macro ...), how stable, and what a macro says."""
_PREFIX = len("SELECT ")


@dataclass(frozen=True)
class Functions:
    """What DuckDB knows under each name: `refused` name -> why it may not be used."""

    refused: Mapping[str, str]


def check_expressions(project: Project) -> list[Problem]:
    """Every mistake in the `sql` of every column of the project's domain tables."""
    tables = {feed.table.path: feed.table for courier in project.couriers.values() for feed in courier.feeds}
    columns = [(table, column) for table in tables.values() for column in table.columns if column.sql is not None]
    if not columns:
        return []
    with lent(threads=1) as connection:
        functions = known_functions()
        found = [(table, column, _mistake(connection, functions, column)) for table, column in columns]
    return [_problem(project, table, column, mistake) for table, column, mistake in found if mistake]


def _problem(project: Project, table: DomainTable, column: Column, mistake: str) -> Problem:
    path = ("columns", column.name, "sql")
    return problem_at(project, table.path, path, "sql", f"column {column.name}: {mistake}", _FIX)


def known_functions() -> Functions:
    """The functions of this DuckDB that an expression may not call."""
    listed = _functions()
    refused = {name: why for name, types, stability, _ in listed if (why := _why_refused(types, stability))}
    return Functions(refused | _ALSO_REFUSED | _reaching(listed))


def changing_functions() -> dict[str, str]:
    """The functions that a whole query may not call either, with the reason: what else they do is no concern there."""
    listed = _functions()
    changing = dict.fromkeys(_changing(listed), "can give another value at each run")
    return changing | {name: why for name, why in _ALSO_REFUSED.items() if name != "unnest"} | _reaching(listed)


@cache
def _functions() -> tuple[Listed, ...]:
    """What duckdb_functions() says. Asked once: it takes 40 ms, and is the same for every connection."""
    with lent(threads=1) as connection:
        rows = connection.execute(
            "SELECT lower(function_name), list(DISTINCT function_type), list(DISTINCT stability), "
            "any_value(macro_definition) FROM duckdb_functions() GROUP BY 1"
        ).fetchall()
    return tuple(rows)


def _changing(listed: Sequence[Listed]) -> set[str]:
    return {name for name, _, stability, _ in listed if not set(stability) <= {"CONSISTENT", None}} - {"error"}


def _reaching(listed: Sequence[Listed]) -> dict[str, str]:
    changing = _changing(listed)
    macros = ((name, definition or "") for name, types, _, definition in listed if types == ["macro"])
    return {name: "looks outside of its arguments" for name, text in macros if _macro_reaches(text, changing)}


def _why_refused(types: Sequence[str], stability: Sequence[str | None]) -> str | None:
    if "scalar" in types:
        return None if set(stability) <= {"CONSISTENT", None} else "can give another value at each run"
    if "macro" in types:
        return None
    return {"aggregate": "is an aggregate", "window": "is a window function"}.get(types[0], "is not a scalar function")


def _macro_reaches(definition: str, changing: set[str]) -> bool:
    words = set(re.findall(r"\w+", definition.lower()))
    return bool(words & {"select", "current_timestamp", *changing})


def _mistake(connection: Connection, functions: Functions, column: Column) -> str | None:
    try:
        tree = parse(connection, column.sql or "")
        _check_tree(tree, functions, len(column.sources), column.sql or "")
        kind = _result_type(connection, tree, column)
    except ConfigurationError as mistake:
        return mistake.message
    return _check_type(kind, column)


def parse(connection: Connection, sql: str) -> dict[str, Any]:
    """The syntax tree of `SELECT <sql>`, known to be one expression and nothing else. Raises ConfigurationError."""
    answer = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {sql}"]).fetchone()
    tree: dict[str, Any] = orjson.loads(answer[0]) if answer else {"error": True, "error_message": "no answer"}
    if tree["error"]:
        raise ConfigurationError(f"`sql` cannot be read: {tree['error_message']}")
    node = tree["statements"][0]["node"]
    alone = len(tree["statements"]) == 1 and node["type"] == "SELECT_NODE" and len(node["select_list"]) == 1
    if not alone or not _is_bare(node) or node["select_list"][0]["alias"]:
        raise ConfigurationError("`sql` is more than one scalar expression")
    return tree


def _is_bare(node: Mapping[str, Any]) -> bool:
    clauses = ("modifiers", "where_clause", "group_expressions", "having", "sample", "qualify")
    return node["from_table"]["type"] == "EMPTY" and not any(node.get(clause) for clause in clauses)


def _expressions(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "class" in value:
            yield value
        for part in value.values():
            yield from _expressions(part)
    elif isinstance(value, list):
        for part in value:
            yield from _expressions(part)


def _check_tree(tree: Mapping[str, Any], functions: Functions, sources: int, sql: str) -> None:
    parts = list(_expressions(tree["statements"][0]["node"]["select_list"]))
    lambdas = [part["lhs"] for part in parts if part["class"] == "LAMBDA"]
    own = {part["column_names"][0] for part in _expressions(lambdas) if part["class"] == "COLUMN_REF"}
    for part in parts:
        if part["class"] == "PARAMETER":
            _check_parameter(part, sources, sql)
        refusal = _refusal(part, functions, own)
        if refusal:
            raise ConfigurationError(f"`sql` {refusal}")


def _refusal(part: Mapping[str, Any], functions: Functions, own: set[str]) -> str | None:
    """Why a part of an expression may not be there. `own`: the names of its lambdas' parameters."""
    if part["class"] in _FORBIDDEN:
        return f"holds {_FORBIDDEN[part['class']]}"
    if part["type"] == "GROUPING_FUNCTION":
        return "calls grouping, which is an aggregate"
    # Without a table a bare word is current_date, current_user or a mistake.
    if part["class"] == "COLUMN_REF" and part["column_names"][0] not in own:
        return f"names {'.'.join(part['column_names'])}; it can use only $1, $2 and so on"
    name = str(part.get("function_name", "")).lower()
    if name == "age" and len(part["arguments"]) == 1:
        return "calls age without a second instant, which can give another value at each run"
    return f"calls {name}, which {functions.refused[name]}" if name in functions.refused else None


def _check_parameter(part: Mapping[str, Any], sources: int, sql: str) -> None:
    name = part["identifier"]
    written = sql.encode()[part["query_location"] - _PREFIX :][:1]
    if written == b"?" or not name.isdecimal() or not 1 <= int(name) <= sources:
        shown = "?" if written == b"?" else f"${name}"
        last = f"$1..${sources}" if sources > 1 else "$1"
        raise ConfigurationError(f"`sql` asks for {shown}; this column has {last}")


def _result_type(connection: Connection, tree: dict[str, Any], column: Column) -> str:
    """The type that the expression gives. A plain path may still lead to a list: that is tried as well."""
    choices = [("VARCHAR[]",) if s.is_list else _possible_types(s.kind) for s in column.sources]
    first = ""
    for kinds in product(*choices):
        names = [f"${number}" for number in range(1, len(kinds) + 1)]
        nulls = ", ".join(f"NULL::{kind} AS {quote(name)}" for name, kind in zip(names, kinds, strict=True))
        relation = f"(SELECT {nulls or 'NULL AS nothing'}) AS given"
        try:
            answer = connection.execute(
                f"DESCRIBE SELECT {rewrite(connection, tree, names)} FROM {relation}"
            ).fetchone()
        except error() as mistake:
            first = first or str(mistake).splitlines()[0]
            continue
        return str(answer[1]) if answer else ""
    raise ConfigurationError(f"`sql` does not fit together: {first}")


def _possible_types(kind: str) -> tuple[str, ...]:
    return ("VARCHAR", "VARCHAR[]") if kind == "field" else ("VARCHAR",)


def _check_type(kind: str, column: Column) -> str | None:
    is_list = kind.endswith("]")
    if is_list != (column.type.name == "string[]") and kind != '"NULL"':
        return f"`sql` gives {'a list' if is_list else 'a single value'}, and the column is a {column.type}"
    if kind.startswith(("STRUCT", "MAP", "UNION", "BLOB", "LAMBDA")):
        return f"`sql` gives a {kind.split('(')[0].lower()}, and the column is a {column.type}"
    return None


def rewrite(connection: Connection, tree: dict[str, Any], names: Sequence[str]) -> str:
    """The expression as SQL, `$1` and so on replaced by the columns called `names`."""
    changed = orjson.loads(orjson.dumps(tree))
    for part in list(_expressions(changed["statements"][0]["node"]["select_list"])):
        if part["class"] == "PARAMETER":
            column = names[int(part.pop("identifier")) - 1]
            part.update({"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [column]})
    changed["statements"][0]["named_param_map"] = []
    answer = connection.execute("SELECT json_deserialize_sql(?)", [orjson.dumps(changed).decode()]).fetchone()
    return str(answer[0])[_PREFIX:] if answer else ""


def bind(connection: Connection, sql: str, names: Sequence[str]) -> str:
    """The expression over columns called `names` instead of `$1..$n`. Raises ConfigurationError.

    Which functions it calls was checked with the project; here the connection is one that reaches nothing outside.
    """
    if (sql, len(names)) not in _taken_apart:
        tree = parse(connection, sql)
        _check_tree(tree, Functions({}), len(names), sql)
        _taken_apart[sql, len(names)] = tree
    return rewrite(connection, _taken_apart[sql, len(names)], names)


_taken_apart: dict[tuple[str, int], dict[str, Any]] = {}
"""The trees of expressions that were found good: a project has few, for many columns."""
