"""Views: SELECTs beside the domain tables, made in the schema of every courier that loads what they read.

DuckDB looks a view's unqualified names up in the view's own schema and file, so that one SQL file serves every courier
of its folder, in the private file and in the published copy alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier.config.problems import Problem
from courier.config.project import Project, View
from courier.storage.duck import error, quote, text
from courier.storage.ledger import LEDGER, insert_rows
from courier.storage.stage import Mistake, Tables, located, open_stage
from courier.storage.tables import existing
from courier.storage.target import Target
from courier.storage.warehouse import PRIVATE

if TYPE_CHECKING:
    from courier.storage.duck import Connection

_CHECKED = "checked"


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


def _stage(tables: Tables) -> Connection:
    return open_stage({_CHECKED: tables}, _CHECKED)


def _mistake(connection: Connection, view: View) -> Mistake | None:
    try:
        statements = connection.extract_statements(view.sql)
        if len(statements) != 1 or statements[0].type.name != "SELECT":
            return Mistake("a view is one SELECT, and nothing else")
        connection.execute(_creation(_CHECKED, view, view.sql))
        connection.execute(f"DROP VIEW {_CHECKED}.{quote(view.name)}")
    except error() as wrong:
        return located(view.sql, str(wrong))
    return None


def _creation(schema: str, view: View, sql: str) -> str:
    # On a line of its own, so that DuckDB counts the lines of the file.
    return f"CREATE OR REPLACE VIEW {schema}.{quote(view.name)} AS\n{sql}"


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
        problems = {view.name: _why_not(stage, view, tables) for view in views}
    _make(connection, schema, views, problems, known)
    connection.execute(f"DELETE FROM {LEDGER}.view WHERE schema_name = ?", [schema])
    rows = [[schema, view.name, view.path, wanted[view.name], problems[view.name][0]] for view in views]
    insert_rows(connection, "view", rows)
    told = [view for view in views if problems[view.name][1]]
    return Settled(True, tuple(f"{view.path}: the view is left out: {problems[view.name][0]}" for view in told))


def _described(connection: Connection, schema: str) -> dict[str, str]:
    """The schema's tables, with what the ledger says of their columns."""
    query = f"""
        SELECT table_name, string_agg(column_name || ' ' || type, ',' ORDER BY position)
        FROM {LEDGER}.domain_column WHERE schema_name = ? GROUP BY ALL ORDER BY ALL
    """
    return dict(connection.execute(query, [schema]).fetchall())


def _fingerprint(view: View, described: Mapping[str, str]) -> str:
    # The columns too: DuckDB keeps those that `SELECT *` had when the view was made, and fails when they change.
    return hashlib.sha256(f"{view.path} {view.sql} {described}".encode()).hexdigest()[:16]


def _why_not(stage: Connection, view: View, tables: Tables) -> tuple[str, bool]:
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
    connection: Connection,
    schema: str,
    views: Sequence[View],
    problems: Mapping[str, tuple[str, bool]],
    known: Mapping[str, str],
) -> None:
    name = f"{PRIVATE}.{quote(schema)}"
    for gone in known:
        connection.execute(f"DROP VIEW IF EXISTS {name}.{quote(gone)}")
    for view in views:
        if not problems[view.name][0]:
            connection.execute(_creation(name, view, view.sql))
            connection.execute(f"COMMENT ON VIEW {name}.{quote(view.name)} IS {text(_meaning(view))}")


def _meaning(view: View) -> str:
    """The comment at the head of the file."""
    head = [line.strip() for line in view.sql.strip().split("\n")]
    end = next((number for number, line in enumerate(head) if not line.startswith("--")), len(head))
    return " ".join(line.removeprefix("--").strip() for line in head[:end]) or view.path
