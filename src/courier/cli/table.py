"""Tables as plain text, laid out by rich: no trailing spaces, nothing that a cell's content could do to a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

import click

# Where no window limits it, a table is as wide as what it holds.
UNLIMITED = 1_000_000


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = ()) -> None:
    """A table on stdout: whole where a program may read it, cut to the window on a terminal."""
    window = shutil.get_terminal_size().columns if on_terminal() else UNLIMITED
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
    columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = (), window: int = UNLIMITED
) -> list[str]:
    """The heading, a rule and one line per row; `right` names the columns that are aligned to the right."""
    # Here, because it takes 60 ms that a mistake or --help need not wait for.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    numbers = set(right)
    for name in columns:
        justify = "right" if name in numbers else "left"
        table.add_column(Text(_plain(name)), justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(_plain(value)) for value in row))
    written = StringIO()
    Console(file=written, width=window, color_system=None, legacy_windows=False).print(table)
    return [line.rstrip() for line in written.getvalue().splitlines()]


def _plain(value: Any) -> str:
    """One line of text. Control characters are written out: they come from other people's data."""
    text = "" if value is None else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u200d" else c.encode("unicode_escape").decode() for c in text)
