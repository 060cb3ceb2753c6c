"""CSV whose cells know where they stand: the standard library's reader forgets it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from courier.config.yaml_nodes import Mistake, Span

_CELL = re.compile(r'[ \t]*(?:"((?:[^"]|"")*)"|([^",]*?))[ \t]*(?:,|$)')


@dataclass(frozen=True)
class Cell:
    """A value, and where it stands. An empty one is one character wide."""

    text: str
    span: Span


Row = tuple[Cell, ...]


def cells_of(lines: Sequence[str]) -> tuple[list[Row], list[Mistake]]:
    """Every line that is neither empty nor a comment (`#`), by its cells; a value ends where its line does."""
    rows, mistakes = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        row = _row(number, line.rstrip())
        if isinstance(row, Mistake):
            mistakes.append(row)
        else:
            rows.append(row)
    return rows, mistakes


def _row(number: int, line: str) -> Row | Mistake:
    cells, start = [], 0
    while True:
        found = _CELL.match(line, start)
        if found is None:
            fix = 'Close each quote before the comma, and write a quote inside quotes twice: "".'
            return Mistake(Span(number, start + 1, max(1, len(line) - start)), "csv", "this is not CSV", fix)
        cells.append(_cell(number, found))
        if not found.group().endswith(","):
            return tuple(cells)
        start = found.end()


def _cell(number: int, found: re.Match[str]) -> Cell:
    quoted = found.group(1) is not None
    group = 1 if quoted else 2
    start, end = found.span(group)
    text = found.group(group)
    return Cell(text.replace('""', '"') if quoted else text, Span(number, start + 1, max(1, end - start)))
