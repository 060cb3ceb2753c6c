"""The slow way through a stream: line by line, to tell the lines that can be read from those that cannot.

It is gone only where DuckDB refused a whole file, or where a text looks as if an object stood in its place. Good lines
are copied beside, bad ones are told with their place and their shape, never with what they hold.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from courier.storage.selection import Node

# DuckDB's reader takes 16 MiB for one line unless told otherwise.
LONGEST_LINE = 16_000_000
_RECORD = re.compile(rb'"__record":\s*(\d{1,18})')


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be read. `record` is None where not even its root record can be told.

    `holds_rows` is false where the rows wanted are the elements of a list, and that list is there and empty.
    """

    file: Path
    line: int
    record: int | None
    path: tuple[str, ...]
    shape: str
    reason: str
    holds_rows: bool = True


@dataclass(frozen=True)
class Checked:
    """The files of a stream with only good lines, and the bad ones."""

    files: tuple[Path, ...]
    bad: tuple[BadLine, ...]


def check_stream(
    files: Sequence[Path], node: Node, is_root: bool, folder: Path, rows_at: Sequence[str] = ()
) -> Checked:
    """Look at every line of a stream's files. A file with bad lines is copied into `folder` without them.

    `rows_at` is the path of the list whose elements are the rows wanted, if they are not the lines themselves.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept: list[Path] = []
    bad: list[BadLine] = []
    for file in files:
        found = list(_bad_lines(file, node, is_root, rows_at))
        kept.append(_copy_without(file, {line.line for line in found}, folder) if found else file)
        bad += found
    return Checked(tuple(kept), tuple(bad))


def _bad_lines(file: Path, node: Node, is_root: bool, rows_at: Sequence[str]) -> Iterator[BadLine]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            fault = _fault(line, node, is_root)
            if fault:
                yield BadLine(file, number, _record_of(line), *fault, holds_rows=_holds_rows(line, rows_at))


def _holds_rows(line: bytes, rows_at: Sequence[str]) -> bool:
    if not rows_at:
        return True
    try:
        value: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    for name in rows_at:
        if not isinstance(value, dict):
            return True
        value = value.get(name)
        if value is None:
            return False
    return value != []


def _copy_without(file: Path, left_out: set[int], folder: Path) -> Path:
    copy = folder / file.name
    with file.open("rb") as lines, os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.writelines(line for number, line in enumerate(lines, 1) if number not in left_out)
    return copy


def _record_of(line: bytes) -> int | None:
    """The record that a line says it belongs to, if it says so exactly once."""
    found = set(_RECORD.findall(line))
    return int(found.pop()) if len(found) == 1 else None


Fault = tuple[tuple[str, ...], str, str]


def _fault(line: bytes, node: Node, is_root: bool) -> Fault | None:
    """What is wrong with a line: the path of the field, the shape that stands there, the reason."""
    whole = f"line of {len(line)} bytes"
    if not line.endswith(b"\n"):
        return (), whole, "the line is cut off"
    if len(line) > LONGEST_LINE:
        return (), whole, "the line is longer than 16 MB"
    try:
        orjson.loads(line)
        record = json.loads(line, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return (), whole, "the line is not JSON in UTF-8"
    if not isinstance(record, _Pairs):
        return (), shape_of(record), "the line is not an object"
    return _record_fault(record, is_root) or _object_fault(record, node, ()) or _depth_fault(record)


class _Pairs(dict[str, Any]):
    """An object, and the keys that it has more than once."""

    repeated: frozenset[str] = frozenset()


def _pairs(pairs: list[tuple[str, Any]]) -> _Pairs:
    found = _Pairs(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        found.repeated = frozenset(key for key in found if keys.count(key) > 1)
    return found


def _record_fault(record: _Pairs, is_root: bool) -> Fault | None:
    if type(record.get("__record")) is not int or not 0 <= record["__record"] < 1 << 40:
        return (), "object", "the line does not say which record it belongs to"
    needed = ("__fetchedAt",) if is_root else ("__parentId",)
    for name in ("__fetchedAt", "__parentId"):
        value = record.get(name)
        if not isinstance(value, str) and (name in needed or value is not None):
            return (), shape_of(value), f"{name} is not a text"
    index = record.get("__index")
    if index is not None and (type(index) is not int or not 0 <= index < 1 << 40):
        return (), shape_of(index), "__index is not a position"
    return None


def _object_fault(value: _Pairs, node: Node, path: tuple[str, ...]) -> Fault | None:
    for name in value.repeated:
        if name in node.fields or name.startswith("__"):
            return (*path, name), "object", "a key stands there twice"
    for name, child in node.fields.items():
        fault = _field_fault(value.get(name), child, (*path, name))
        if fault:
            return fault
    return None


def _field_fault(value: Any, node: Node, path: tuple[str, ...]) -> Fault | None:
    if value is None:
        return None
    if not node.is_list:
        return _single_fault(value, node, path)
    if not isinstance(value, list):
        return path, shape_of(value), "a list is expected there"
    faults = (_single_fault(element, node, path) for element in value if element is not None)
    return next((fault for fault in faults if fault), None)


def _single_fault(value: Any, node: Node, path: tuple[str, ...]) -> Fault | None:
    if node.fields:
        return (
            _object_fault(value, node, path)
            if isinstance(value, _Pairs)
            else (path, shape_of(value), "an object is expected there")
        )
    nested = isinstance(value, (dict, list)) and not node.is_json
    return (path, shape_of(value), "a single value is expected there") if nested else None


def _depth_fault(record: Any) -> Fault | None:
    """DuckDB gives up on a line that is nested more than 128 deep."""
    level, depth = [record], 0
    while level:
        depth += 1
        if depth > 100:
            return (), "object", "the line is nested too deep"
        level = [child for value in level for child in _children(value)]
    return None


def _children(value: Any) -> list[Any]:
    values = value.values() if isinstance(value, dict) else value
    return [child for child in values if isinstance(child, (dict, list))] if isinstance(value, (dict, list)) else []


def shape_of(value: Any) -> str:
    """`object`, `list of 3`, `text of 12 characters`, `number`, `boolean` or `null`."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "number"
