"""Which `sql` a column may have, and how its sources are put in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier.config.project import Column, Courier, DomainTable, Feed, Project
from courier.errors import ConfigurationError
from courier.storage.duck import connect, text
from courier.storage.expressions import bind, check_expressions

from .shaping import column, table

if TYPE_CHECKING:
    from courier.storage.duck import Connection


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with connect() as opened:
        yield opened


def project(root: Path, *columns: Column) -> Project:
    """A project of one table, its file on disk with one line per column."""
    made = table("t", "Order", [], *columns)
    lines = [f"  {c.name}: {{ type: {c.type}, sql: '{(c.sql or '').replace(chr(39), chr(39) * 2)}' }}" for c in columns]
    path = root / made.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["rows: Order", "columns:", *lines]) + "\n")
    return _project(root, made)


def _project(root: Path, made: DomainTable) -> Project:
    courier = Courier("shop", "couriers/shop.yaml", "shopify", None, {}, "shop", (Feed(made.name, made),))
    return Project(root, {"shop": courier, "again": courier}, {}, (), {})


GOOD = [
    ("string", "lower($1)"),
    ("string", "$1 -- a remark"),
    ("string", "'$9' || $1 || $2"),
    ("string", "case $1 when 'a' then 'b' end"),
    ("string", "coalesce(nullif($1, ''), $2, 'none')"),
    ("string", "array_to_string($1, ', ')"),
    ("string", "array_to_string([x for x in $1 if x <> ''], ',')"),
    ("string", "$1->>'$.a'"),
    ("string", "try($1::date)::varchar"),
    ("string", "if($1 = 'x', null, $2)"),
    ("string", "null"),
    ("string[]", "list_transform($1, lambda x: upper(x))"),
    ("string[]", "string_split($1, ',')"),
    ("integer", r"regexp_extract($1, '(\d+)$', 1)"),
    ("integer", "('0x' || left(md5($1), 15))::bigint"),
    ("decimal", "list_sum($1::double[])"),
    ("date", "$1::timestamptz::date"),
    ("integer", "extract(year from age($1::timestamp, $2::timestamp))"),
    ("boolean", "$1 is not distinct from $2"),
]
BAD = [
    ("(select 1)", "subquery"),
    ("$1 in (select 'a')", "subquery"),
    ("exists(from range(3))", "subquery"),
    ("count(*)", "aggregate"),
    ("sum($1)", "aggregate"),
    ("string_agg($1, ',')", "aggregate"),
    ("row_number() over ()", "window"),
    ("*", "star"),
    ("columns('a')", "star"),
    ("#1", "positional"),
    ("default", "default"),
    ("unnest($1)", "makes rows"),
    ("$1, $2", "more than one"),
    ("$1 as x", "more than one"),
    ("$1 from t", "more than one"),
    ("$1 limit 1", "more than one"),
    ("$1; drop table t", "cannot be read|more than one|Only SELECT"),
    ("$1; select 2", "more than one"),
    ("1 union select 2", "more than one"),
    ("", "cannot be read"),
    ("lower($1", "cannot be read"),
    ("$1) + ($2", "cannot be read"),
    ("$3", r"asks for \$3"),
    ("$0", r"cannot be read|asks for \$0"),
    ("$name", r"asks for \$name"),
    ("?", r"asks for \?"),
    ("name", "names name"),
    ("current_date", "names current_date"),
    ("current_user", "names current_user"),
    ("now()", "another value"),
    ("today()", "another value"),
    ("random()", "another value"),
    ("uuid()", "another value"),
    ("get_current_timestamp()", "another value"),
    ("age($1::timestamp)", "another value"),
    ("ago('1 day'::interval)", "outside"),
    ("nextval('s')", "another value"),
    ("current_setting('threads')", "another value"),
    ("getvariable('x')", "another value"),
    ("getenv('HOME')", "fit together"),
    ("read_text('/etc/passwd')", "not a scalar"),
    ("query('select 1')", "not a scalar"),
    ("nonsense($1)", "fit together"),
    ("upper(7, 8)", "fit together"),
    ("struct_pack(a := $1)", "gives a struct"),
    ("string_split($1, ',')", "gives a list"),
]


@pytest.mark.parametrize(("kind", "sql"), GOOD)
def test_an_expression_over_its_sources_is_good(tmp_path: Path, kind: str, sql: str) -> None:
    assert check_expressions(project(tmp_path, column("c", kind, "a", "b", sql=sql))) == []


@pytest.mark.parametrize(("sql", "what"), BAD)
def test_anything_else_is_a_problem(tmp_path: Path, sql: str, what: str) -> None:
    problems = check_expressions(project(tmp_path, column("c", "string", "a", "b", sql=sql)))
    assert len(problems) == 1
    assert problems[0].rule == "sql"
    with pytest.raises(AssertionError, match=what):
        raise AssertionError(problems[0].message)


def test_every_problem_is_told_once_at_its_own_line(tmp_path: Path) -> None:
    columns = [column("a", sql="lower($1)"), column("b", sql="now()"), column("c", sql="$2"), column("d")]
    problems = check_expressions(project(tmp_path, *columns))
    assert [(problem.path, problem.line) for problem in problems] == [("domain_tables/shop/t.yaml", n) for n in (4, 5)]
    assert all(problem.excerpt for problem in problems)


def test_a_list_where_text_is_wanted_is_a_problem_and_the_other_way_round(tmp_path: Path) -> None:
    columns = [column("a", "string[]", sql="lower($1)"), column("b", "string", "tags[]", sql="$1")]
    assert len(check_expressions(project(tmp_path, *columns))) == 2


def test_sources_go_where_their_numbers_stand_and_nowhere_else(connection: Connection) -> None:
    names = [f"s0_{n}" for n in range(11)]
    sql = bind(connection, "concat($1, $10, $11, '$1', \"concat\"($2, '$10'))", names)
    given = ", ".join(f"'{name}' AS {name}" for name in names)
    assert connection.execute(f"SELECT {sql} FROM (SELECT {given})").fetchall() == [("s0_0s0_9s0_10$1s0_1$10",)]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_literal_stays_as_it_is(connection: Connection, literal: str) -> None:
    sql = bind(connection, f"{text(literal)} || $1", ["s0_0"])
    assert connection.execute(f"SELECT {sql} FROM (SELECT '!' AS s0_0)").fetchall() == [(literal + "!",)]


@pytest.mark.parametrize("literal", ["'\"given 0\"'", "E'\"\\x67iven 0\"'"])
def test_the_same_expression_over_other_columns(connection: Connection, literal: str) -> None:
    bound = [bind(connection, f"concat($1, $2, {literal})", names) for names in (["a", "b"], ["b", "a"], ["a", "a"])]
    rows = [connection.execute(f"SELECT {one} FROM (SELECT 'x' AS a, 'y' AS b)").fetchone() for one in bound]
    assert rows == [('xy"given 0"',), ('yx"given 0"',), ('xx"given 0"',)]


def test_binding_refuses_what_the_check_refuses(connection: Connection) -> None:
    for sql in ("(select 1)", "s0_0", "$2", "$1 from t"):
        with pytest.raises(ConfigurationError):
            bind(connection, sql, ["s0_0"])
