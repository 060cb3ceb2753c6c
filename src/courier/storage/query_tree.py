"""A query as DuckDB's own parser reads it: the tree that DuckDB itself binds, so that nothing is read in two ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

if TYPE_CHECKING:
    from courier.storage.duck import Connection

Node: TypeAlias = Mapping[str, Any]
_NOWHERE = 2**64 - 1


@dataclass(frozen=True)
class Place:
    """A stretch of a query's text, in bytes."""

    start: int
    length: int


class NotRead(Exception):
    """DuckDB's parser does not take it, or it is not one SELECT. Its text says why."""


def read_tree(connection: Connection, sql: str) -> Node:
    """The root of the one SELECT that `sql` is. Raises NotRead."""
    answer = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree: dict[str, Any] = orjson.loads(answer[0]) if answer else {"error": True, "error_message": "no answer"}
    if tree["error"]:
        raise NotRead(str(tree["error_message"]))
    if len(tree["statements"]) != 1:
        raise NotRead("it is more than one statement")
    root: Node = tree["statements"][0]["node"]
    return root


def place_of(node: Node) -> Place | None:
    """Where a part of a query stands; None for one that DuckDB added."""
    start = node.get("query_location", _NOWHERE)
    return None if start == _NOWHERE else Place(int(start), int(node.get("query_location_length") or 1))


def parts(value: Any) -> Iterator[Node]:
    """Every mapping of a tree that is an expression, itself included, whatever it is nested in."""
    if isinstance(value, dict):
        if "class" in value:
            yield value
        for one in value.values():
            yield from parts(one)
    elif isinstance(value, list):
        for one in value:
            yield from parts(one)


def children(value: Any) -> Iterator[Node]:
    """The nearest expressions below, and none below those."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if isinstance(one, dict) and "class" in one:
            yield one
        else:
            yield from children(one)


def base_tables(value: Any) -> Iterator[Node]:
    """Every table that is named anywhere in a tree."""
    if isinstance(value, dict):
        if value.get("type") == "BASE_TABLE":
            yield value
        for one in value.values():
            yield from base_tables(one)
    elif isinstance(value, list):
        for one in value:
            yield from base_tables(one)


def line_and_column(sql: str, place: Place | None) -> tuple[int, int, int]:
    """Line and column from 1 and the length in characters, within that line."""
    if place is None:
        return 1, 1, 1
    raw = sql.encode()
    before = raw[: place.start].decode(errors="replace")
    within = raw[place.start : place.start + place.length].decode(errors="replace").split("\n")[0]
    line = before.count("\n") + 1
    return line, len(before) - (before.rfind("\n") + 1) + 1, max(1, len(within))


def own_name(expression: Node) -> str | None:
    """The name of a column of a select list, where it says one."""
    if expression.get("alias"):
        return str(expression["alias"]).lower()
    return str(expression["column_names"][-1]).lower() if expression["class"] == "COLUMN_REF" else None


def makes_columns(expression: Node) -> bool:
    """Whether an entry of a select list may become several columns."""
    return any(_multiplies(part) for part in _own_parts(expression))


def _own_parts(node: Node) -> Iterator[Node]:
    """An expression and what is nested in it, without its subqueries."""
    yield node
    if node["class"] != "SUBQUERY":
        for child in children(node):
            yield from _own_parts(child)


def _multiplies(part: Node) -> bool:
    unnests = part["class"] == "FUNCTION" and part["function_name"].lower() in ("unnest", "unlist")
    return part["class"] == "STAR" or part["type"] == "OPERATOR_UNPACK" or unnests


def lambda_names(left: Node) -> tuple[list[str], bool]:
    """The names that stand left of an arrow, and whether nothing else does."""
    if left["class"] == "COLUMN_REF":
        return [left["column_names"][0]], len(left["column_names"]) == 1
    inner = list(children(left))
    bare = left["class"] == "FUNCTION" and left["function_name"].lower() == "row" and bool(inner)
    if bare and all(one["class"] == "COLUMN_REF" and len(one["column_names"]) == 1 for one in inner):
        return [one["column_names"][0] for one in inner], True
    return [], False
