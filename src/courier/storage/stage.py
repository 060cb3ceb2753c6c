"""A stage: a database of its own with a project's tables, empty, over which SQL of the project is tried."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier.storage.duck import connect, quote, text

if TYPE_CHECKING:
    from courier.storage.duck import Connection

Tables = Mapping[str, Mapping[str, str]]
"""Table -> column -> DuckDB type."""
_PLACE = re.compile(r"\n\nLINE (\d+): (.*)\n( *)(\^+)", re.DOTALL)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with SQL; line and column are 1-based."""

    message: str
    hint: str = ""
    line: int = 1
    column: int = 1
    length: int = 1


def open_stage(schemas: Mapping[str, Tables], default: str = "main") -> Connection:
    """A database with these tables by schema, from which nothing outside can be reached.

    default: the schema in which names without one are looked up.
    """
    connection = connect(threads=1)
    for schema, tables in schemas.items():
        connection.execute(f"CREATE SCHEMA {quote(schema)}")
        for name, columns in tables.items():
            listed = ", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())
            connection.execute(f"CREATE TABLE {quote(schema)}.{quote(name)} ({listed})")
    connection.execute(f"SET schema = {text(default)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def located(sql: str, message: str) -> Mistake:
    """DuckDB's message about SQL that stood below a line of courier's own, and the place in the file that it names."""
    found = _PLACE.search(message)
    said = [line for line in message[: found.start() if found else None].split("\n") if line.strip()]
    what, hint = said[0].partition(": ")[2] or said[0], " ".join(said[1:])
    if not found:
        return Mistake(what, hint)
    shown, caret = found.group(2), len(found.group(3)) - len(f"LINE {found.group(1)}: ")
    cut = len(shown) - len(shown.removeprefix("..."))
    lines = sql.split("\n")
    for number in (int(found.group(1)) - 1, int(found.group(1))):  # parsed alone, or below the line that creates it
        start = lines[number - 1].find(shown.strip(".")) if 0 < number <= len(lines) else -1
        if start >= 0:
            return Mistake(what, hint, number, max(1, start + caret - cut + 1), len(found.group(4)))
    return Mistake(what, hint)
