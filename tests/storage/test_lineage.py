"""What a query of an activation may read, call and name, and where a problem of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from courier.cli.init import starter_folder
from courier.config.activation import Activation, Contract, Guards, Response
from courier.config.load import load_project
from courier.config.problems import Problem
from courier.config.project import Project
from courier.storage.lineage import Bench, Reading, check_activations, reading
from courier.storage.personal import personal_columns
from courier.storage.relations import Stored
from tests.storage.leaking import leaking_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return leaking_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def bench(project: Project) -> Iterator[Bench]:
    with Bench(project, [project.activations["people"]]) as made:
        yield made


def read(bench: Bench, project: Project, sql: str, **changed: Any) -> Reading:
    return bench.read(replace(project.activations["people"], sql=sql, **changed))


REFUSED = {
    "SELECT random() AS r": "random can give another value at each run",
    "SELECT now() AS r": "now can give another value at each run",
    "SELECT current_date AS r": "current_date can give another value at each run",
    "SELECT state FROM shopify.customer WHERE updated_at > current_timestamp": "current_timestamp can give",
    "SELECT today() AS r": "today can give another value at each run",
    "SELECT age(updated_at) AS r FROM shopify.customer": "age can give another value at each run",
    "SELECT current_setting('TimeZone') AS r": "current_setting can give another value",
    "SELECT getvariable('x') AS r": "getvariable can give another value",
    "SELECT * FROM range(3)": "a query does not read from `range`",
    "SELECT * FROM duckdb_tables()": "a query does not read from `duckdb_tables`",
    "SELECT * FROM information_schema.tables": "`information_schema.tables` is no domain table",
    "SELECT * FROM read_csv('people.csv')": "file system operations are disabled",
    "SELECT * FROM 'people.csv'": "file system operations are disabled",
    "SELECT * FROM courier.run": 'schema "courier" does not exist',
    "SELECT state FROM memory.shopify.customer": "`catalog name` is not followed here",
    "SELECT state FROM shopify.customer TABLESAMPLE 10%": "`sample` is not followed here",
    "SELECT rowid AS r FROM shopify.customer": "`rowid` cannot be followed",
    "SELECT state, #1 AS r FROM shopify.customer": "a positional reference is not followed here",
    "FROM shopify.customer PIVOT (count(*) FOR state IN ('x'))": "pivot is not followed here",
    "DESCRIBE shopify.customer": "show ref is not followed here",
    "SELECT v FROM unnest([1]) WITH ORDINALITY AS u (v, n)": "a query does not read from `unnest`",
    "SELECT 1 AS a, 2 AS A": "two columns are called `a`",
    "SELECT 1 AS a; SELECT 2 AS b": "a query is one SELECT",
    "DELETE FROM shopify.customer": "a query is one SELECT",
    "SELECT $nothing AS a": "there is no parameter `nothing`",
    "SELECT ? AS a": "there is no parameter `1`",
    "SELECT main.lower(state) AS a FROM shopify.customer": "`lower` is called in a schema",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_not_repeat_or_reaches_outside_is_refused(bench: Bench, project: Project, sql: str) -> None:
    (problem,) = read(bench, project, sql).problems
    assert REFUSED[sql] in problem.message and problem.fix


PASSES = (
    "SELECT state, count(*) AS n, count(DISTINCT email) AS m FROM shopify.customer GROUP BY ALL ORDER BY ALL",
    "SELECT state FROM shopify.customer WHERE email LIKE '%@x' ORDER BY note LIMIT 3",
    "SELECT approx_count_distinct(id) AS n FROM shopify.customer HAVING count(email) > 3",
    "SELECT c.state, v.name FROM shopify.customer AS c JOIN shopify.visit AS v ON v.customer_id = c.id",
    "SELECT state FROM shopify.customer AS c WHERE EXISTS (SELECT 1 FROM shopify.visit AS v WHERE v.email = c.email)",
    "SELECT CASE WHEN id IN (SELECT customer_id FROM shopify.visit) THEN 'came' END AS a FROM shopify.customer",
    "SELECT name FROM shopify.visit QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY updated_at, id) = 1",
    "SELECT median(n) AS n FROM (SELECT customer_id, count(*) AS n FROM shopify.visit GROUP BY customer_id)",
    "SELECT * EXCLUDE (who, contact) FROM shopify.person",
    "SELECT tag, count(*) AS n FROM shopify.customer, unnest(string_split(tags, ', ')) AS u (tag) GROUP BY tag",
    "SELECT list_transform([state], lambda email: email || '!') AS a FROM (SELECT state FROM shopify.customer)",
    "SELECT state FROM shopify.customer WHERE updated_at < $as_of AND length(state) < $min_cohort_size",
    "SELECT p.a FROM (SELECT {'a': state, 'b': 2} AS p FROM shopify.customer)",
)


@pytest.mark.parametrize("sql", PASSES)
def test_counting_choosing_joining_and_grouping_by_people_is_fine(bench: Bench, project: Project, sql: str) -> None:
    assert read(bench, project, sql).problems == ()


def test_a_reading_says_what_is_read_and_given(bench: Bench, project: Project) -> None:
    """Tables below views too, and each column's type and sources."""
    sql = "SELECT p.state, max(v.name) AS last FROM shopify.person AS p JOIN shopify.visit AS v ON v.id = $n GROUP BY 1"
    found = read(bench, project, sql, parameters={"n": 3})
    assert (found.tables, found.views) == (("shopify.customer", "shopify.visit"), ("shopify.person",))
    assert found.parameters == ("n",)
    assert [(one.name, one.type, one.reads) for one in found.output] == [
        ("state", "VARCHAR", ("shopify.customer.state",)),
        ("last", "VARCHAR", ("shopify.visit.name",)),
    ]
    assert found.columns == ("shopify.customer.state", "shopify.visit.id", "shopify.visit.name")


def test_the_place_is_where_the_column_is_read(bench: Bench, project: Project) -> None:
    """In characters, not bytes, and not where its alias leaves."""
    sql = "-- Größe\nWITH a AS (\n    SELECT 'é' || email AS x FROM shopify.customer\n)\nSELECT upper(x) AS y FROM a"
    (problem,) = read(bench, project, sql).problems
    assert (problem.path, problem.line, problem.column, problem.length) == ("activations/people.sql", 3, 19, 5)
    assert problem.message == "`shopify.customer.email` would leave in `y`: it is tagged `email`"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id AS a FROM shopify.customer", "it is the key of a person, tagged `ck`"),
        ("SELECT customer_id AS a FROM shopify.visit", "it is the key of a person"),
        ("SELECT note AS a FROM shopify.customer", "it is marked `pii: true`"),
        ("SELECT who % 2 AS a FROM shopify.person", "it is the key of a person, tagged `ck`"),
    ],
)
def test_the_reason_is_told(bench: Bench, project: Project, sql: str, why: str) -> None:
    (problem,) = read(bench, project, sql).problems
    assert problem.message.endswith(f"would leave in `a`: {why}")


NOTES = "SELECT mode(note) AS value, count(*) AS support FROM shopify.customer"


def test_a_released_column_leaves_as_a_supported_value_only(bench: Bench, project: Project) -> None:
    """And releasing it does not release what stands beside it."""
    supported = Guards(release=("shopify.customer.note",), support={"value": "support"})
    assert read(bench, project, NOTES, guards=supported).problems == ()
    (bare,) = read(bench, project, NOTES, guards=Guards(release=("shopify.customer.note",))).problems
    assert bare.rule == "pii" and "guards: support:" in bare.fix
    twice = NOTES.replace("AS support", "AS support, min(note) AS first")
    assert [one.rule for one in read(bench, project, twice, guards=supported).problems] == ["pii"]
    other = NOTES.replace("note", "email")
    assert [one.rule for one in read(bench, project, other, guards=supported).problems] == ["pii"]


def only(found: Reading) -> Problem:
    (problem,) = found.problems
    return problem


def test_consent_is_a_filter(bench: Bench, project: Project) -> None:
    """A column with the tag decides which rows there are; reading it is not enough."""
    consent = Guards(consent=("email",))
    asked = "SELECT state FROM shopify.customer WHERE email IS NOT NULL"
    assert read(bench, project, asked, guards=consent).problems == ()
    assert only(read(bench, project, "SELECT state FROM shopify.customer", guards=consent)).rule == "consent"


def test_parameters_are_asked_for(bench: Bench, project: Project) -> None:
    """A misspelt one would change nothing; and what must occur is shown, so it is nobody's."""
    problem = only(read(bench, project, "SELECT 1 AS a", parameters={"kind": "x"}))
    assert (problem.rule, problem.message) == ("parameter", "activations/people.sql does not ask for $kind")
    shown = {"parameters": {"kind": "x"}, "must_occur": {"kind": "shopify.customer.email"}}
    problem = only(read(bench, project, "SELECT $kind AS a", **shown))
    assert "would be shown" in problem.message


def test_names_in_texts_and_guards_are_columns(bench: Bench, project: Project) -> None:
    body = Response(
        "{state}: {sate} {rows}",
        persona="{none}",
        contract=Contract(evidence={"ids[]": "ids"}, rows={"all[]": ("state", "of")}),
    )
    changed = {"body": body, "columns": ("state", "count"), "guards": Guards(exact=("n",)), "key": "state"}
    found = read(bench, project, "SELECT state FROM shopify.customer", **changed)
    assert {one.rule for one in found.problems} == {"unknown-output"}
    assert len(found.problems) == 6


def test_people_are_counted_in_whole_numbers(bench: Bench, project: Project) -> None:
    sql = "SELECT avg(length(state)) AS customers FROM shopify.customer"
    assert only(read(bench, project, sql, rows_are="cohorts")).rule == "cohort-size"


def test_a_view_that_cannot_be_followed_is_told_where_it_is_read(tmp_path: Path) -> None:
    project = leaking_project(tmp_path)
    (view,) = project.views["shopify"]
    changed = replace(project, views={"shopify": (replace(view, sql="SELECT random() AS r FROM customer"),)})
    problem = only(reading(changed, replace(project.activations["people"], sql="SELECT r FROM shopify.person")))
    assert "the view `shopify.person` cannot be followed: random" in problem.message


def test_a_project_without_mistakes_has_no_problems(project: Project) -> None:
    assert check_activations(project) == []


def test_every_schema_has_tables_of_its_own(project: Project) -> None:
    """Two stores with one folder: what is personal in one is personal in the other."""
    second = replace(project.couriers["shopify"], name="shopify_uk")
    both = replace(project, couriers={**project.couriers, "shopify_uk": second})
    activation: Activation = replace(project.activations["people"], sql="SELECT contact FROM shopify_uk.person")
    assert only(reading(both, activation)).message.startswith("`shopify_uk.customer.email` would leave")


def test_views_over_all_sources_are_followed(project: Project) -> None:
    """One query over every store; what is personal in one of them, or the key of a person, does not leave by a tag."""
    second = replace(project.couriers["shopify"], name="shopify_uk")
    both = replace(project, couriers={**project.couriers, "shopify_uk": second})

    def over_all(sql: str) -> Reading:
        return reading(both, replace(project.activations["people"], sql=sql))

    found = over_all("SELECT source, count(DISTINCT ck) AS customers FROM semantic.customer GROUP BY source")
    assert (found.problems, found.views) == ((), ("semantic.customer",))
    assert set(found.tables) >= {"shopify.customer", "shopify_uk.customer"}
    for column, why in {"email": "it is tagged `email`", "ck": "tagged `ck`", "source_key": "tagged `ck`"}.items():
        refused = over_all(f"SELECT {column} AS a FROM semantic.customer").problems
        assert len(refused) >= 2 and all(why in problem.message for problem in refused), refused


def test_people_are_known_by_their_key_wherever_it_stands() -> None:
    """In a table called customers or profiles, and in another one's column that has no tag."""
    project = load_project(starter_folder()).project
    assert project is not None
    personal = personal_columns(project, project.couriers)
    for written in ("segment_profiles", "list_profiles", "events", "order_items"):
        assert personal.is_key(Stored("klaviyo", written, "profile_id")), written
    for written in ("orders", "customer_addresses", "customer_attribute_values"):
        assert personal.is_key(Stored("bigcommerce", written, "customer_id")), written
    assert not personal.why(Stored("klaviyo", "segment_profiles", "segment_id"))
