"""Mistakes in a project that only this connector can see."""

from __future__ import annotations

from collections.abc import Iterator

from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Courier, DomainTable, Project
from courier.config.suggestions import did_you_mean
from courier.connectors.bigcommerce.roots import ROOTS

INSIDE = {"Refund": ("items",)}  # lists that come inside their record


def check(project: Project, courier: Courier) -> list[Problem]:
    """All of them, in the order of the courier's feeds."""
    return [problem for feed in courier.feeds for problem in _table(project, feed.table)]


def _table(project: Project, table: DomainTable) -> Iterator[Problem]:
    root = ROOTS.get(table.rows.root)
    if root is None:
        message = f"`{table.rows.root}` is not a record type that this connector can read"
        yield problem_at(project, table.path, ("rows",), "unknown-rows", message, did_you_mean(table.rows.root, ROOTS))
        return
    below = (*root.children, *INSIDE.get(root.type, ()))
    if len(table.rows.lists) > 1 or any(".".join(names) not in below for names in table.rows.lists):
        message = f"`{table.rows}` is not a list that this connector can read"
        choices = [f"{root.type}.{name}[]" for name in below] or [root.type]
        fix = did_you_mean(str(table.rows), choices)
        yield problem_at(project, table.path, ("rows",), "unknown-rows", message, fix)
    for column in table.columns:
        for source in column.sources:
            if source.kind == "computed":
                message = f"BigCommerce's connector computes no `{source.steps[0].name}`"
                fix = "Name a field of the record."
                yield problem_at(project, table.path, ("columns", column.name), "unknown-computed", message, fix)
