"""Laws of lineage: what depends on personal data is refused, and what passes does not depend on it.

The second is judged without the first's code: over two shops whose people differ in every personal text, and in
nothing else, a query that passes gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.storage import duck
from courier.storage.lineage import Bench, Reading
from courier.storage.relations import Stored
from tests.storage.leaking import attempts, leaking_project, leaks

if TYPE_CHECKING:
    from courier.storage.duck import Connection


KEY = 770077007700
PERSON = "CREATE VIEW shopify.person AS SELECT id AS who, lower(email) AS contact, state FROM shopify.customer"


class Judge:
    """A project's check, and the two shops."""

    def __init__(self, root: Path) -> None:
        project = leaking_project(root)
        self._activation = project.activations["people"]
        self.bench = Bench(project, [self._activation])
        self.shops = (shop("first", "mark{}a"), shop("second", "other-mark-{}-zz"))
        self.judged = self.passed = 0

    def reading(self, sql: str) -> Reading:
        return self.bench.read(replace(self._activation, sql=sql))

    def rules(self, sql: str) -> set[str]:
        return {problem.rule for problem in self.reading(sql).problems}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    made = Judge(tmp_path_factory.mktemp("project"))
    with made.bench:
        yield made
    for connection in made.shops:
        connection.close()
    assert made.passed > 20 or not made.judged  # a check that refuses everything proves nothing


def shop(name: str, mark: str) -> Connection:
    """A shop in which every personal text holds `mark` and a number of its own; all else is the same in every shop."""
    connection = duck.connect(threads=1)
    connection.execute(f"ATTACH ':memory:' AS {name}")
    connection.execute(f"USE {name}")
    connection.execute("CREATE SCHEMA shopify")
    more = "updated_at TIMESTAMPTZ, _fetched_at TIMESTAMPTZ, _run VARCHAR"
    connection.execute(
        f"CREATE TABLE shopify.customer (id BIGINT, email VARCHAR, note VARCHAR, state VARCHAR, tags VARCHAR, {more})"
    )
    connection.execute(
        f"CREATE TABLE shopify.visit (id BIGINT, customer_id BIGINT, email VARCHAR, name VARCHAR, {more})"
    )
    people = [[KEY + n, mark.format(n), mark.format(100 + n), "ab"[n % 2], f"t{n}"] for n in range(5)]
    visits = [[n, KEY + n % 5, mark.format(n % 5), f"v{n}"] for n in range(7)]
    connection.executemany("INSERT INTO shopify.customer VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)", people)
    connection.executemany("INSERT INTO shopify.visit VALUES (?, ?, ?, ?, NULL, NULL, NULL)", visits)
    connection.execute(PERSON)
    return connection


@settings(max_examples=120, deadline=None)
@given(sql=leaks())
def test_what_depends_on_personal_data_is_refused(judge: Judge, sql: str) -> None:
    """Through every nesting, and as what it is: not because the query would not hold."""
    judge.shops[0].execute(sql)
    assert judge.rules(sql) == {"pii"}, sql


@settings(max_examples=120, deadline=None)
@given(sql=attempts())
def test_what_passes_does_not_depend_on_personal_data(judge: Judge, sql: str) -> None:
    """The same values in both shops, and nobody's text or number among them."""
    rules = judge.rules(sql)
    judge.judged += 1
    assert rules <= {"pii"}, sql
    if rules:
        return
    judge.passed += 1
    first, second = (_values(connection, sql) for connection in judge.shops)
    assert first == second, sql
    assert "mark" not in str(first) and str(KEY)[:6] not in str(first), sql


@settings(max_examples=60, deadline=None)
@given(sql=st.one_of(attempts(), leaks()))
def test_what_is_not_needed_changes_nothing(judge: Judge, sql: str) -> None:
    """Whether a query may leave or not: with nulls in all other columns it gives the very same rows."""
    connection, needed = judge.shops[0], judge.reading(sql).needed
    before = connection.execute(sql).fetchall()
    connection.execute("ATTACH ':memory:' AS bare")
    connection.execute("USE bare")
    try:
        connection.execute("CREATE SCHEMA shopify")
        for table in ("customer", "visit"):
            described = connection.execute(f"DESCRIBE first.shopify.{table}").fetchall()
            columns = [
                name if Stored("shopify", table, name) in needed else f"NULL::{kind} AS {name}"
                for name, kind, *_ in described
            ]
            connection.execute(
                f"CREATE TABLE shopify.{table} AS SELECT {', '.join(columns)} FROM first.shopify.{table}"
            )
        connection.execute(PERSON)
        assert _sorted(connection.execute(sql).fetchall()) == _sorted(before), sql
    finally:
        connection.execute("USE first")
        connection.execute("DETACH bare")


def _sorted(rows: list[tuple[object, ...]]) -> list[str]:
    return sorted(map(repr, rows))


def _values(connection: Connection, sql: str) -> set[tuple[str, ...]]:
    """The rows, without counts: how many rows there are may follow from personal data."""
    answer = connection.execute(sql)
    places = [place for place, column in enumerate(answer.description or []) if str(column[1]) != "BIGINT"]
    return {tuple(str(row[place]) for place in places) for row in answer.fetchall()}
