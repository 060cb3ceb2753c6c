"""docs/reliability.md claims nothing that no test shows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> list[list[str]]:
    """The cells of every row of every table, without heads."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines if not line.startswith(("| Fault |", "| --- |"))]


@cache
def functions_of(path: str) -> frozenset[str]:
    file = ROOT / path
    tree = ast.parse(file.read_text("utf-8")) if file.exists() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_fault_is_shown_by_a_test() -> None:
    """A row has a fault, what happens, and nothing but tests in its last cell."""
    found = rows()
    assert len(found) > 70
    wrong = [row for row in found if len(row) != 3 or not all(row) or NAMED.sub("", row[-1]).strip()]
    assert wrong == []


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text("utf-8"))
    missing = [
        f"{path}::{name}" for path, name in named if name not in functions_of(path) or not name.startswith("test_")
    ]
    assert missing == []


def test_no_fault_is_told_twice() -> None:
    faults = [row[0] for row in rows()]
    assert len(set(faults)) == len(faults)
