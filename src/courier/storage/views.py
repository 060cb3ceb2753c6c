"""Views: SELECTs beside the domain tables, made in the schema of every courier that loads what they read.

A view's unqualified names are looked up in the view's own schema, and by DuckDB in its own file, so that one SQL file
serves every courier of its folder, in the private file and in the published copy alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from courier.config.problems import Problem
from courier.config.project import Project, View
from courier.storage.connection import Connection
from courier.storage.duck import error, quote
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.stage import Mistake, Tables, located, open_stage
from courier.storage.tables import existing
from courier.storage.target import Target
from courier.storage.view_making import drop_view, make_view

if TYPE_CHECKING:
    from courier.storage.duck import Connection as DuckConnection

_CHECKED = "checked"
Problems: TypeAlias = Mapping[str, tuple[str, bool]]
"""View -> why it cannot be made, "" if it can; and whether that is a mistake, which is told."""


@dataclass(frozen=True)
class Settled:
    """Whether a schema's views are others than before, and what a person should know of them."""

    changed: bool = False
    notes: tuple[str, ...] = ()


def check_views(project: Project) -> list[Problem]:
    """Every mistake in the views of the project's folders, over the tables that their YAML describes."""
    return [problem for folder in project.views for problem in _check_folder(project, folder)]


def _check_folder(project: Project, folder: str) -> Iterator[Problem]:
    tables = {name: Target("", table).types() for name, table in project.folders.get(folder, {}).items()}
    with _stage(tables) as connection:
        for view in project.views[folder]:
            mistake = _mistake(connection, view)
            if mistake:
                lines = view.sql.split("\n")
                excerpt = lines[mistake.line - 1] if mistake.line <= len(lines) else ""
                fix = mistake.hint or f"Name columns of the tables in domain_tables/{folder}/, without a schema."
                place = (mistake.line, mistake.column)
                yield Problem(view.path, *place, "view", mistake.message, fix, excerpt, mistake.length)


def _stage(tables: Tables) -> DuckConnection:
    return open_stage({_CHECKED: tables}, _CHECKED)


def _mistake(connection: DuckConnection, view: View) -> Mistake | None:
    try:
        statements = connection.extract_statements(view.sql)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            return Mistake("a view is one SELECT, and nothing else")
        # On a line of its own, so that DuckDB counts the lines of the file.
        connection.execute(f"CREATE OR REPLACE VIEW {_CHECKED}.{quote(view.name)} AS\n{view.sql}")
        connection.execute(f"DROP VIEW {_CHECKED}.{quote(view.name)}")
    except error() as wrong:
        return located(view.sql, str(wrong))
    return None


def settle(connection: Connection, schema: str, views: Sequence[View]) -> Settled:
    """Make, renew and drop the schema's views, in the running transaction.

    A view that lacks a table is left out until the table is loaded. One whose SQL does not hold, which `validate` says
    beforehand, costs no row: it is left out with a note. Its SQL is tried on a stage, because one mistake would end the
    transaction.
    """
    described = _described(connection, schema)
    wanted = {view.name: _fingerprint(view, described) for view in views}
    query = f"SELECT view_name, fingerprint FROM {LEDGER}.view WHERE schema_name = ?"
    known = dict(connection.execute(query, [schema]).fetchall())
    if known == wanted:
        return Settled()
    there = existing(connection, schema)
    tables = {name: there[schema, name] for name in described if (schema, name) in there}
    with _stage(tables) as stage:
        problems: Problems = {view.name: _why_not(stage, view, tables) for view in views}
    problems = _make(connection, schema, views, problems, known)
    connection.execute(f"DELETE FROM {LEDGER}.view WHERE schema_name = ?", [schema])
    rows = [[schema, view.name, view.path, wanted[view.name], problems[view.name][0]] for view in views]
    insert_rows(connection, "view", rows)
    told = [view for view in views if problems[view.name][1]]
    return Settled(True, tuple(f"{view.path}: the view is left out: {problems[view.name][0]}" for view in told))


def _described(connection: Connection, schema: str) -> dict[str, str]:
    """The schema's tables, with what the ledger says of their columns."""
    query = f"""
        SELECT table_name, string_agg(column_name || ' ' || type, ',' ORDER BY position)
        FROM {LEDGER}.domain_column WHERE schema_name = ? GROUP BY table_name ORDER BY table_name
    """
    return dict(connection.execute(query, [schema]).fetchall())


def _fingerprint(view: View, described: Mapping[str, str]) -> str:
    # The columns too: DuckDB keeps those that `SELECT *` had when the view was made, and fails when they change.
    return hashlib.sha256(f"{view.path} {view.sql} {described}".encode()).hexdigest()[:16]


def _why_not(stage: DuckConnection, view: View, tables: Tables) -> tuple[str, bool]:
    """Why the view cannot be made, "" if it can; and whether that is a mistake, which is told."""
    try:
        missing = sorted(stage.get_table_names(view.sql) - tables.keys())
    except error():
        missing = []
    if missing:
        return f"{', '.join(missing)}: not loaded by this courier", False
    mistake = _mistake(stage, view)
    return (f"line {mistake.line}: {mistake.message}", True) if mistake else ("", False)


def _make(
    connection: Connection, schema: str, views: Sequence[View], problems: Problems, known: Mapping[str, str]
) -> Problems:
    """Returns the problems, and those that only the warehouse knows of."""
    for gone in known:
        drop_view(connection, schema, gone)
    found = dict(problems)
    for view in views:
        if not problems[view.name][0]:
            problem = make_view(connection, schema, view.name, view.sql, _meaning(view))
            found[view.name] = (problem, bool(problem))
    return found


def _meaning(view: View) -> str:
    """The comment at the head of the file."""
    head = [line.strip() for line in view.sql.strip().split("\n")]
    end = next((number for number, line in enumerate(head) if not line.startswith("--")), len(head))
    return " ".join(line.removeprefix("--").strip() for line in head[:end]) or view.path
