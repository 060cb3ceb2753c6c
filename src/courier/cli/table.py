"""Tables as plain text: no trailing spaces, no blank lines, nothing that a cell's content could do to a terminal."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

GAP = "  "
NARROWEST = 12


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = ()) -> None:
    """A table on stdout: whole where a program may read it, cut to the window on a terminal."""
    window = shutil.get_terminal_size().columns if on_terminal() else None
    for line in lines(columns, rows, right, window):
        click.echo(line)


def on_terminal() -> bool:
    return sys.stdout.isatty()


def number(value: int | None) -> str:
    """A count: with thousands separators for a person, without for a program."""
    if value is None:
        return ""
    return f"{value:,}" if on_terminal() else str(value)


def lines(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = (), window: int | None = None
) -> list[str]:
    """The heading, a rule and one line per row; `right` names the columns that are aligned to the right."""
    cells = [[_plain(name) for name in columns], *([_plain(value) for value in row] for row in rows)]
    widths = [max(width(row[place]) for row in cells) for place in range(len(columns))]
    if window is not None:
        widths = fitted(widths, window - len(GAP) * (len(columns) - 1))
    numbers = {place for place, name in enumerate(columns) if name in set(right)}
    head, *body = (_line(row, widths, numbers) for row in cells)
    return [head, GAP.join("─" * wide for wide in widths), *body]


def fitted(widths: Sequence[int], window: int) -> list[int]:
    """Widths that fit the window, the widest columns cut first and none below what can be read."""
    found = list(widths)
    while sum(found) > window and max(found, default=0) > NARROWEST:
        found[found.index(max(found))] -= 1
    return found


def width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _line(row: Sequence[str], widths: Sequence[int], numbers: set[int]) -> str:
    cut = [_cut(cell, wide) for cell, wide in zip(row, widths, strict=True)]
    padded = []
    for place, (cell, wide) in enumerate(zip(cut, widths, strict=True)):
        blank = " " * (wide - width(cell))
        padded.append(blank + cell if place in numbers else cell + blank)
    return GAP.join(padded).rstrip()


def _cut(cell: str, wide: int) -> str:
    if width(cell) <= wide:
        return cell
    while width(cell) > wide - 1:
        cell = cell[:-1]
    return cell + "…"


def _plain(value: Any) -> str:
    """One line of text. Control characters are written out: they come from other people's data."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u200d" else c.encode("unicode_escape").decode() for c in text)
