"""What an activation's YAML says of its query's columns, parameters and filters, held against the query itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from courier.config.activation import CUSTOMERS, Activation
from courier.config.activation_texts import Path, named_columns, texts
from courier.config.located import problem_at
from courier.config.problems import Problem
from courier.config.project import Project
from courier.config.suggestions import did_you_mean, listed
from courier.config.templates import ROWS, read_template
from courier.config.vocabulary import vocabulary
from courier.storage.personal import Personal
from courier.storage.relations import Stored

_WHOLE_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")


def check(project: Project, activation: Activation, output: Mapping[str, str]) -> Iterator[Problem]:
    """`output`: column -> DuckDB type, as the query gives them."""
    known = {name.lower() for name in output}
    named = [(path, name) for path, name in named_columns(activation)]
    named += [(path, name) for path, text in texts(activation) for name in read_template(text).columns if name != ROWS]
    for path, name in named:
        if name.lower() not in known:
            yield _unknown(project, activation, path, name, output)
    yield from _check_count(project, activation, {name.lower(): kind for name, kind in output.items()})


def _unknown(project: Project, activation: Activation, path: Path, name: str, output: Mapping[str, str]) -> Problem:
    message = f"{activation.sql_path} gives no column `{name}`"
    fix = did_you_mean(name, output, f"It gives {listed(output)}.")
    return problem_at(project, activation.path, path, "unknown-output", message, fix)


def _check_count(project: Project, activation: Activation, output: Mapping[str, str]) -> Iterator[Problem]:
    if activation.rows_are != "cohorts":
        return
    kind = output.get(CUSTOMERS)
    if kind is None:
        message = f"rows that stand for people need a column `{CUSTOMERS}` that counts them"
        fix = f"Add `count(*) AS {CUSTOMERS}` to {activation.sql_path}, or write `rows_are: things`."
        yield problem_at(project, activation.path, ("rows_are",), "cohort-size", message, fix)
    elif not _WHOLE_NUMBER.fullmatch(kind):
        message = f"`{CUSTOMERS}` is {kind}, and people are counted in whole numbers"
        fix = f"Write `count(*) AS {CUSTOMERS}` in {activation.sql_path}."
        yield problem_at(project, activation.path, ("rows_are",), "cohort-size", message, fix)


def check_parameters(project: Project, activation: Activation, asked: Collection[str]) -> Iterator[Problem]:
    """Parameters that the query does not ask for: a misspelt one would change nothing."""
    for name in activation.parameters:
        if name not in asked:
            message = f"{activation.sql_path} does not ask for ${name}"
            fix = f"Write ${name} in it, or delete it here."
            yield problem_at(project, activation.path, ("parameters", name), "parameter", message, fix)


def check_consent(project: Project, activation: Activation, filtered: Collection[Stored]) -> Iterator[Problem]:
    """The query filters by a column of each tag that stands for consent."""
    tags = vocabulary(project.tags)
    by = {tag for stored in filtered for tag in _tags(project, stored)}
    meant = {found.name for found in map(tags.find, by) if found}
    for position, wanted in enumerate(activation.guards.consent):
        if not {tag.name for tag in [tags.find(wanted)] if tag} & meant and wanted not in by:
            message = f"{activation.sql_path} does not filter by a column tagged `{wanted}`"
            path = ("guards", "consent", position)
            fix = "Filter by it: WHERE is_email_opted_in."
            yield problem_at(project, activation.path, path, "consent", message, fix)


def _tags(project: Project, stored: Stored) -> tuple[str, ...]:
    table = project.folders[project.folder_of(stored.schema)][stored.table]
    return next((column.tags for column in table.columns if column.name == stored.column), ())


def check_must_occur(project: Project, activation: Activation, personal: Personal) -> Iterator[Problem]:
    """What occurs in such a column is shown to people."""
    for name, written in activation.must_occur.items():
        stored = Stored(*written.split("."))
        if why := personal.why(stored):
            message = f"the values of `{written}` would be shown: {why}"
            fix = "Name a column that is no personal data."
            yield problem_at(project, activation.path, ("must_occur", name), "parameter", message, fix)
