"""A mistake in a project's files, as a value: all of them are collected and shown at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """`path:line:column: message [rule]`, the line with carets below it, and a fix.

    `path` is relative to the project; `line` and `column` are 1-based; `excerpt` is the line as it stands, a secret in
    it masked; `length` is how many characters the carets cover. A warning does not make the project invalid.
    """

    path: str
    line: int
    column: int
    rule: str
    message: str
    fix: str
    excerpt: str = ""
    length: int = 1
    warning: bool = False
