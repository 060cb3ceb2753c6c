"""How things look: tables and errors as text, or as JSON. Reads without colour; NO_COLOR is honoured by rich."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from courier.config.problems import Problem
from courier.errors import CourierError


class ProjectInvalid(CourierError):
    """The project's files have problems; all of them are shown at once."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(count_of(problems))
        self.problems = tuple(problems)


def wants_json() -> bool:
    """Whether the running command was given --json."""
    context = click.get_current_context(silent=True)
    return bool(context and context.params.get("as_json")) or "--json" in sys.argv


def print_json(value: Any) -> None:
    """Exactly one object on stdout. Decimals as strings, times as RFC 3339."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(message: str) -> None:
    """A sentence for the person, on stderr."""
    click.echo(message, err=True)


def show_error(error: CourierError) -> None:
    """What failed and what to do, on stderr; with --json also as an object on stdout."""
    if isinstance(error, ProjectInvalid):
        show_problems(error.problems)
        return
    if wants_json():
        print_json({"version": 1, "problem": {"message": error.message, "fix": error.fix}})
    say(f"error: {error.message}")
    if error.fix:
        say(f"  fix: {error.fix}")


def problem_as_json(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
        "message": problem.message,
        "fix": problem.fix,
        "warning": problem.warning,
    }


def show_problems(problems: Sequence[Problem]) -> None:
    from courier.config.render import render

    if wants_json():
        print_json({"version": 1, "problems": [problem_as_json(problem) for problem in problems]})
    for problem in problems:
        say(render(problem) + "\n")
    say(count_of(problems))


def count_of(problems: Sequence[Problem]) -> str:
    errors = sum(not problem.warning for problem in problems)
    warnings = len(problems) - errors
    return f"{_plural(errors, 'problem')}, {_plural(warnings, 'warning')}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Iterable[str] = ()) -> None:
    """A plain table on stdout, as wide as its content where nobody reads along."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    numbers = set(right)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console(soft_wrap=False, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=400, markup=False, highlight=False, emoji=False)
    console.print(table)


def duration(seconds: float) -> str:
    """`5 minutes 12 seconds`, as Amperity writes it."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
    said = [_plural(count, noun) for count, noun in parts if count]
    return " ".join(said) or "less than a second"
