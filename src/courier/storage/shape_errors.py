"""From a row, or a line, that does not hold to a RecordError that says where it is and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from courier.config.project import DomainTable
from courier.storage.load import RecordError
from courier.storage.raw import Layout
from courier.storage.shape_fields import level_of, levels_of
from courier.storage.shape_lines import BadLine
from courier.storage.shape_sql import KINDS, NESTED, NO_GROUND, NO_INSTANT, NO_KEY, NO_PARENT, NO_ROOT, SQL_FAILED
from courier.storage.shape_values import reason

Place = tuple[int | str | None, ...]  # of a line: its record, parent and index; in a bulk result its id, or its parent


@dataclass(frozen=True)
class BadRow:
    """A row that `shape_sql.bad_rows` told of: where its line is, and what is wrong with it."""

    file: str
    record: int
    parent_id: str | None
    index: int | None
    error: int
    shape: str
    id: str | None

    def place(self, layout: Layout) -> Place:
        return (self.id or self.parent_id,) if layout.is_bulk else (self.record, self.parent_id, self.index)

    @property
    def is_nested(self) -> bool:
        return self.error >= 0 and self.error % KINDS == NESTED


def row_errors(feed: str, table: DomainTable, rows: Sequence[BadRow], raw: Path, layout: Layout) -> list[RecordError]:
    """One error per row. `raw` is the request's folder; files are named relative to the run's, two levels up."""
    lines = {name: _find_lines(raw / name, found, layout) for name, found in _by_file(rows, layout).items()}
    errors = []
    for row in rows:
        file = raw / Path(row.file).name
        column, why = _explain(table, row.error)
        line = lines[file.name].get(row.place(layout), 0)
        errors.append(RecordError(feed, file_name(file), line, column, row.shape, why))
    return errors


def line_errors(feed: str, table: DomainTable, layout: Layout, lines: Iterable[BadLine]) -> list[RecordError]:
    """One error per line of the table's innermost stream."""
    return [
        RecordError(feed, file_name(bad.file), bad.line, _column_at(table, layout, bad.path), bad.shape, _where(bad))
        for bad in lines
    ]


def file_name(file: Path) -> str:
    """`raw/Order/Order-00001.jsonl`: the file as it is called inside the run's folder."""
    names = file.parts
    return "/".join(names[len(names) - 1 - names[::-1].index("raw") :] if "raw" in names else names[-3:])


def _where(bad: BadLine) -> str:
    return f"{bad.reason}: {'.'.join(bad.path)}" if bad.path else bad.reason


def _column_at(table: DomainTable, layout: Layout, path: Sequence[str]) -> str:
    """The first column that reads the field at `path` of the innermost line, or something inside it."""
    levels = levels_of(table.rows, layout)
    for column in table.columns:
        for source in column.sources:
            depth = level_of(table.rows, source) - len(levels.streams) + 1
            if source.kind != "field" or depth < 0:
                continue
            opened = [name for names in levels.inline[:depth] for name in names]
            names = [*opened, *(step.name for step in source.steps)]
            if path and names[: len(path)] == list(path):
                return column.name
    return ""


def _by_file(rows: Sequence[BadRow], layout: Layout) -> dict[str, set[Place]]:
    found: dict[str, set[Place]] = {}
    for row in rows:
        found.setdefault(Path(row.file).name, set()).add(row.place(layout))
    return found


def _find_lines(file: Path, wanted: set[Place], layout: Layout) -> dict[Place, int]:
    """The 1-based lines of a file on which the wanted records stand."""
    found: dict[Place, int] = {}
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            place = _place_of(line, layout)
            if place in wanted:
                found.setdefault(place, number)
            if len(found) == len(wanted):
                break
    return found


def _place_of(line: bytes, layout: Layout) -> Place | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, Mapping):
        return None
    if layout.is_bulk:
        return (record.get("id") or record.get("__parentId"),)
    if not isinstance(record.get("__record"), int):
        return None
    return record["__record"], record.get("__parentId"), record.get("__index")


_WHOLE_LINE = {
    NO_PARENT: "the record that it belongs to could not be read",
    NO_INSTANT: "the line does not say when it was fetched",
    NO_GROUND: "a value of it rests on a line that could not be read",
}


def _explain(table: DomainTable, error: int) -> tuple[str, str]:
    if error == NO_ROOT:
        return "", f"its {table.rows.root.lower()} could not be read"
    if error < 0:
        return "", _WHOLE_LINE[error]
    column = table.columns[error // KINDS]
    kind = error % KINDS
    if kind == NO_KEY:
        return column.name, "is null, and is part of the primary key"
    if kind == SQL_FAILED:
        return column.name, "its sql fails on this value"
    if kind == NESTED:
        return column.name, "an object or a list stands where a single value is expected"
    return column.name, reason(column.type)
