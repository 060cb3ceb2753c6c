"""A problem as text: where, what, the line with carets, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from courier.config.problems import Problem

WIDTH = 160


def render(problem: Problem) -> str:
    """`path:line:column: message [rule]`, the line, carets below it, `fix: ...`. No newline at the end."""
    kind = "warning: " if problem.warning else ""
    lines = [f"{problem.path}:{problem.line}:{problem.column}: {kind}{problem.message} [{problem.rule}]"]
    if problem.excerpt.strip():
        before, marked, after = _cut(problem)
        carets = "^" * max(1, _width(marked))
        lines += [f"  {before}{marked}{after}".rstrip(), f"  {_blank(before)}{carets}"]
    if problem.fix:
        lines.append(f"  fix: {problem.fix}")
    return "\n".join(lines)


def render_all(problems: Sequence[Problem]) -> str:
    """All of them, an empty line between two."""
    return "\n\n".join(render(problem) for problem in problems)


def _cut(problem: Problem) -> tuple[str, str, str]:
    """What stands before, at and after the place; of a very long line only what is near."""
    start = problem.column - 1
    end = start + problem.length
    before, marked, after = problem.excerpt[:start], problem.excerpt[start:end], problem.excerpt[end:]
    if len(before) > WIDTH // 2:
        before = "…" + before[-WIDTH // 2 :]
    marked = marked[:WIDTH]
    return before, marked, after[: max(0, WIDTH - len(before) - len(marked))]


def _blank(text: str) -> str:
    return "".join("\t" if character == "\t" else " " * _width(character) for character in text)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
