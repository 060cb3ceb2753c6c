"""What a benchmark takes and gives, and how it is written down: as a table, as JSON, as a section of a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EMBEDDED = "embedded"
Cell = str | int | float | None
PAGE_HEAD = """\
# Benchmarks

Each section is written by `python -m benchmarks NAME`, and what it compares was measured in one run, on one machine.
Seconds differ between machines and days: read the ratios.
"""


@dataclass(frozen=True)
class Options:
    """What a benchmark is asked to do. `work` is an empty folder of this run; `cache` lasts from run to run."""

    orders: int
    work: Path
    cache: Path
    rounds: int | None = None
    seed: int | None = None
    only: tuple[str, ...] = ()
    groups: int | None = None
    stores: int | None = None
    engine: str = EMBEDDED


@dataclass(frozen=True)
class Table:
    """Numbers are right aligned, floats have two decimals, None is a dash."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Report:
    """`figures` become keys of the JSON object; `notes` say what was measured and how."""

    title: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def as_json(report: Report) -> dict[str, Any]:
    """The figures, tables and notes of a report as plain values."""
    tables = [{"title": i.title, "columns": i.columns, "rows": i.rows} for i in report.tables]
    return {**report.figures, "tables": tables, "notes": report.notes}


def as_text(report: Report) -> str:
    """For a terminal: each table with its columns aligned, then the notes."""
    parts = [report.title, *(_aligned(table) for table in report.tables)]
    parts.append("\n".join(f"* {note}" for note in report.notes))
    return "\n\n".join(part for part in parts if part)


def _aligned(table: Table) -> str:
    shown = [table.columns, *(tuple(map(_text, row)) for row in table.rows)]
    widths = [max(len(row[at]) for row in shown) for at in range(len(table.columns))]
    right = _right(table)
    lines = ["  ".join(_pad(*cell) for cell in zip(row, widths, right, strict=True)).rstrip() for row in shown]
    return "\n".join([table.title, *lines] if table.title else lines)


def _pad(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _right(table: Table) -> list[bool]:
    """Per column, whether it holds numbers."""
    return [any(isinstance(row[at], (int, float)) for row in table.rows) for at in range(len(table.columns))]


def _text(value: Cell) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else value


def as_markdown(report: Report, heading: str, lines: Sequence[str]) -> str:
    """A section: heading, `lines` that say where and how it was measured, tables, notes."""
    parts = [f"## {heading}", report.title, "\n".join(lines)]
    for table in report.tables:
        parts += [f"### {table.title}"] if table.title else []
        parts.append(_markdown(table))
    parts.append("\n".join(f"* {note}" for note in report.notes))
    return "\n\n".join(part for part in parts if part)


def _markdown(table: Table) -> str:
    rule = ["---:" if right else "---" for right in _right(table)]
    rows = [table.columns, rule, *(tuple(map(_text, row)) for row in table.rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def with_section(page: str, name: str, section: str) -> str:
    """The page with what is between `<!-- name -->` and `<!-- /name -->` replaced; appended when it has none."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    block = f"{start}\n\n{section}\n\n{end}"
    before, found, rest = (page or PAGE_HEAD).partition(start)
    if not found:
        return f"{before.rstrip()}\n\n{block}\n"
    return before + block + rest.partition(end)[2]
