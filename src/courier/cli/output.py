"""What people and scripts are told: data on stdout, everything else on stderr; problems as text and as JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from courier.clock import rfc3339
from courier.config.problems import Problem
from courier.errors import CourierError

STREAMING = ("run", "retry", "activate")
"""Commands whose stderr is JSON lines with --json."""


class ProjectInvalid(CourierError):
    """The project's files have problems; all of them are shown at once."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(count_of(problems), fix="courier validate shows them again")
        self.problems = tuple(problems)


def wants_json() -> bool:
    """Whether the command line asks for JSON, also when it could not be parsed."""
    return "--json" in given()


def given() -> list[str]:
    """The options as they were typed."""
    typed = sys.argv[1:]
    return typed[: typed.index("--")] if "--" in typed else typed


def print_json(value: Mapping[str, Any]) -> None:
    """Exactly one object on stdout. Decimals as strings, times as RFC 3339."""
    click.echo(as_json(value, indent=2))


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON in the strict sense: what is no finite number is text, as decimals and times are."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, default=_text)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _text(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _text(value: Any) -> str:
    return rfc3339(value) if isinstance(value, datetime) and value.tzinfo else str(value)


def say(message: str) -> None:
    """A sentence for the person, on stderr. Nobody reading it is no reason to stop a run."""
    try:
        click.echo(message, err=True)
    except BrokenPipeError:
        return


def mark(sandbox: bool) -> None:
    """Made-up data is always called so."""
    if sandbox:
        say("(sandbox)")


def show_error(error: CourierError) -> None:
    """What failed and what to do, on stderr; with --json also as an object on stdout."""
    problems = error.problems if isinstance(error, ProjectInvalid) else ()
    if wants_json():
        body: dict[str, Any] = {"version": 1, "problem": {"message": error.message, "fix": error.fix}}
        print_json({**body, "problems": [problem_as_json(problem) for problem in problems]} if problems else body)
    if problems:
        show_problems(problems)
    else:
        complain(error.message, error.fix)


def complain(message: str, fix: str) -> None:
    """A problem on stderr: a JSON line among those of a run, else text."""
    if wants_json() and any(command in given() for command in STREAMING):
        say(as_json({"event": "Problem", "message": message, "fix": fix}))
        return
    say(f"error: {message}")
    if fix:
        say(f"  fix: {fix}")
    mark("--sandbox" in given())


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
    """All of them on stderr, each with its place and fix."""
    from courier.config.render import render

    if wants_json() and any(command in given() for command in STREAMING):
        for problem in problems:
            say(as_json({"event": "ProjectProblem", **problem_as_json(problem)}))
        return
    for problem in problems:
        say(render(problem) + "\n")
    say(count_of(problems))


def count_of(problems: Sequence[Problem]) -> str:
    errors = sum(not problem.warning for problem in problems)
    warnings = len(problems) - errors
    return f"{plural(errors, 'problem')}, {plural(warnings, 'warning')}"


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """`5 minutes 12 seconds`, as Amperity writes it."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    parts = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
    said = [plural(count, noun) for count, noun in parts if count]
    return " ".join(said) or "less than a second"
