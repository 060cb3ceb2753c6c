"""Queries over personal columns, built by random nesting, for the laws of lineage.

Every column is text, and its maker knows whether its value depends on personal data: `secret`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from courier.config.load import load_project
from courier.config.project import Project
from tests.config.projects import write_project

FILES: dict[str, str | bytes] = {
    "couriers/shopify.yaml": """\
connector: shopify
api_version: 2026-10
credential: { store: "${SHOPIFY_STORE}", access_token: "${SHOPIFY_ACCESS_TOKEN}" }
feeds:
  customer:
  visit:
""",
    "domain_tables/shopify/customer.yaml": """\
rows: Customer
primary_key: [id]
last_updated: updated_at
columns:
  id: { from: legacyResourceId, type: integer, tags: [ck] }
  email: { from: defaultEmailAddress.emailAddress, tags: [email] }
  note: { type: string, pii: true }
  state: string
  tags: { type: string, sql: "array_to_string($1, ', ')" }
  updated_at: datetime
""",
    "domain_tables/shopify/visit.yaml": """\
rows: Order
primary_key: [id]
last_updated: updated_at
columns:
  id: { from: legacyResourceId, type: integer }
  customer_id: { from: customer.legacyResourceId, type: integer }
  email: { type: string, pii: true }
  name: string
  updated_at: datetime
""",
    "domain_tables/shopify/person.sql": "SELECT id AS who, lower(email) AS contact, state FROM customer\n",
    "activations/people.yaml": """\
destination: mavera
surface: responses
rows_are: things
credential: { api_key: "${MAVERA_API_KEY}" }
response: { input: "What now?" }
""",
    "activations/people.sql": "SELECT state FROM shopify.customer\n",
}


def leaking_project(root: Path) -> Project:
    """A project with personal columns: customer.id, email, note; visit.customer_id, email; both views' of the first."""
    project = load_project(write_project(root, FILES)).project
    assert project is not None
    return project


@dataclass(frozen=True)
class Made:
    """A query. `secret`: the columns that depend on personal data; `open`: those that do not."""

    sql: str
    secret: tuple[str, ...]
    open: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return *self.secret, *self.open


BASES = (
    Made("SELECT email AS a, state AS b FROM shopify.customer", ("a",), ("b",)),
    Made("SELECT c.note AS a, c.tags AS b, id::VARCHAR AS d FROM shopify.customer AS c", ("a", "d"), ("b",)),
    Made("SELECT contact AS a, who::VARCHAR AS d, state AS b FROM shopify.person", ("a", "d"), ("b",)),
    Made("FROM shopify.visit AS v SELECT v.email AS a, name AS b, customer_id::VARCHAR AS d", ("a", "d"), ("b",)),
    Made(
        "SELECT visit.email AS a, name AS b, c.state AS d FROM shopify.visit "
        "JOIN shopify.customer AS c ON c.id = visit.customer_id",
        ("a",),
        ("b", "d"),
    ),
    Made("SELECT email AS a, name AS b FROM shopify.visit JOIN shopify.customer USING (email)", ("a",), ("b",)),
    Made("SELECT shopify.customer.email AS a, customer.state AS b FROM shopify.customer", ("a",), ("b",)),
    Made("SELECT c::VARCHAR AS a, c.state AS b FROM shopify.customer AS c", ("a",), ("b",)),
    Made("SELECT to_json(c)::VARCHAR AS a, count(*)::VARCHAR AS b FROM shopify.customer c GROUP BY c", ("a",), ("b",)),
    Made("SELECT a, b FROM shopify.customer AS t (i, a, n, b)", ("a",), ("b",)),
    Made("SELECT rank() OVER (ORDER BY email)::VARCHAR AS a, state AS b FROM shopify.customer", ("a",), ("b",)),
    Made("SELECT x_1 AS a, b FROM (SELECT state AS x, email AS x, state AS b FROM shopify.customer)", ("a",), ("b",)),
    Made(
        "WITH RECURSIVE w (k, v, u, b) AS (SELECT email, 'p', 'p', state FROM shopify.customer "
        "UNION SELECT k, k, v, b FROM w) SELECT u AS a, b FROM w",
        ("a",),
        ("b",),
    ),
    Made(
        "SELECT EXISTS (SELECT 1 FROM shopify.visit AS v WHERE v.email = c.note)::VARCHAR AS a, state AS b "
        "FROM shopify.customer AS c",
        ("a",),
        ("b",),
    ),
    Made(
        "SELECT (note IN (SELECT email FROM shopify.visit))::VARCHAR AS a, 'b' AS b FROM shopify.customer",
        ("a",),
        ("b",),
    ),
    Made(
        "SELECT note AS a, name AS b FROM shopify.visit NATURAL JOIN (SELECT email, note FROM shopify.customer)",
        ("a",),
        ("b",),
    ),
    Made(
        "SELECT (SELECT max(z) FROM (SELECT 'p' AS email, email AS z)) AS a, state AS b FROM shopify.customer",
        ("a",),
        ("b",),
    ),
)
EXPRESSIONS = (
    "lower({x})",
    "{x} || '!'",
    "'a' || coalesce({x}, 'none')",
    "substring({x}, 1, 3)",
    "md5({x})",
    "hash({x})::VARCHAR",
    "length({x})::VARCHAR",
    "({x} IS NULL)::VARCHAR",
    "CASE WHEN {x} LIKE '%a%' THEN 'one' ELSE 'other' END",
    "if({x} > 'm', 'late', 'early')",
    "({x} IN ('a', 'b'))::VARCHAR",
    "({x} BETWEEN 'a' AND 'm')::VARCHAR",
    "TRY_CAST({x} AS INTEGER)::VARCHAR",
    "({{'k': {x}}}).k",
    "[{x}][1]",
    "list_transform(['p'], lambda e: e || {x})[1]",
    "list_filter([{x}], lambda e: e <> 'q')::VARCHAR",
    "[e || '?' FOR e IN [{x}]]::VARCHAR",
    "array_to_string([{x}, 'z'], ',')",
    "map {{'k': {x}}}['k']",
    "first_value({x}) OVER (ORDER BY {x})",
    "lag({x}) OVER (ORDER BY {y})",
    "max({x}) OVER (PARTITION BY {y})",
    "(SELECT {x})",
    "(SELECT max(z) FROM (SELECT {x} AS z))",
    "(SELECT min(v) FROM unnest([{x}]) AS u (v))",
    "row_to_json({{'k': {x}}})::VARCHAR",
    "{x} COLLATE NOCASE",
    "nullif({x}, 'z')",
    "format('{{}}', {x})",
)
AGGREGATES = (
    "max({x})",
    "string_agg({x}, ',' ORDER BY {x})",
    "list({x})::VARCHAR",
    "mode({x})",
    "arg_max({x}, {y})",
    "min({x}) FILTER ({y} IS NOT NULL)",
    "histogram({x})::VARCHAR",
    "bit_xor(hash({x}))::VARCHAR",
)
# {q}: the query; {x}: one column, which becomes `{n}`, by {e}; {y}: any column; {rest}: those that stay
SHAPES = (
    "SELECT {e} AS {n}{rest} FROM ({q}) AS t",
    "SELECT {e} AS {n}{rest} FROM ({q})",
    "FROM ({q}) AS t SELECT {e} AS {n}{rest}",
    "WITH w AS ({q}) SELECT {e} AS {n}{rest} FROM w",
    "WITH w AS MATERIALIZED ({q}), v AS (SELECT * FROM w) SELECT {e} AS {n}{rest} FROM v",
    "SELECT {e} AS {n}{rest} FROM ({q}) AS t WHERE {y} IS NOT NULL OR true",
    "SELECT DISTINCT {e} AS {n}{rest} FROM ({q}) AS t",
    "SELECT {n}{rest} FROM (SELECT {e} AS {n}{rest} FROM ({q}) AS t) AS u ORDER BY ALL LIMIT 100",
    "SELECT {n}{rest} FROM (SELECT *, {e} AS {n} FROM ({q}) AS t)",
    "SELECT s.k AS {n}{rest} FROM (SELECT {{'k': {e}}} AS s, * FROM ({q}) AS t)",
    "SELECT z AS {n}{rest} FROM ({q}) AS t, LATERAL (SELECT {e} AS z)",
    "SELECT v AS {n}{rest} FROM ({q}) AS t, unnest([{x}]) AS u (v)",
    "SELECT v AS {n}{rest} FROM ({q}) AS t, LATERAL (VALUES ({x})) AS u (v)",
    "SELECT {x} AS {n}{rest} FROM ({q}) AS t CROSS JOIN (VALUES (1)) AS v (one)",
    "SELECT {x} AS {n}{rest} FROM ({q}) AS t SEMI JOIN (SELECT 1 AS one) AS v ON one = 1",
    "SELECT {x} AS {n}{rest} FROM ({q}) AS t LEFT JOIN (SELECT 1 AS one) AS v ON false",
    "SELECT t.{x} AS {n}{rest} FROM ({q}) AS t QUALIFY row_number() OVER (PARTITION BY {y}) < 9",
    "SELECT {x} AS p, p || '' AS {n}{rest} FROM ({q}) AS t",
    "SELECT {n}{rest} FROM (SELECT * RENAME ({x} AS {n}) FROM ({q}) AS t)",
    "SELECT {x} AS {n}{rest} FROM (SELECT * REPLACE (upper({x}) AS {x}) FROM ({q}) AS t)",
    "SELECT {x} AS {n}{rest} FROM (SELECT * REPLACE ('p' AS {x}) FROM ({q}) UNION ALL ({q}))",
    "SELECT {x} AS {n}{rest} FROM (SELECT * REPLACE (2 AS one) FROM (SELECT 1 AS one, * FROM ({q}) AS t))",
    "SELECT {x} AS {n}{rest} FROM (SELECT t.* FROM ({q}) AS t)",
    "SELECT {x} AS {n}{rest} FROM (({q}) UNION ALL ({q}))",
    "SELECT {x} AS {n}{rest} FROM (({q}) UNION BY NAME ({q}))",
    "SELECT {x} AS {n}{rest} FROM (({q}) INTERSECT ({q}))",
    "WITH RECURSIVE w AS (({q}) UNION SELECT * FROM w) SELECT {x} AS {n}{rest} FROM w",
    "SELECT r.{x} AS {n}{rest} FROM (SELECT t AS r, * FROM ({q}) AS t)",
    "SELECT (t).{x} AS {n}{rest} FROM ({q}) AS t",
)


@st.composite
def queries(draw: st.DrawFn, secret: bool | None = None) -> Made:
    """A query; `secret`: every step works on a column that is, or is not, secret; None: on either."""
    made = draw(st.sampled_from(BASES))
    for step in range(draw(st.integers(0, 4))):
        made = _wrapped(draw, made, f"n{step}", secret)
    return made


def _wrapped(draw: st.DrawFn, made: Made, name: str, secret: bool | None) -> Made:
    choices = made.columns if secret is None else made.secret if secret else made.open
    x, y = draw(st.sampled_from(choices)), draw(st.sampled_from(made.columns))
    kept = [column for column in made.columns if column != x and draw(st.booleans())]
    others = [column for column in (made.open if x in made.secret else ()) if column not in kept]
    kept += others[:1]  # something that is no secret stays
    shape, expression = draw(st.sampled_from(SHAPES)), draw(st.sampled_from(EXPRESSIONS))
    hidden = x in made.secret or ("{e}" in shape and "{y}" in expression and y in made.secret)
    rest = "".join(f", {column}" for column in kept)
    e = expression.format(x=x, y=y)
    sql = shape.format(q=made.sql, x=x, y=y, n=name, e=e, rest=rest)
    return Made(
        sql,
        (*([name] if hidden else []), *(column for column in kept if column in made.secret)),
        (*([] if hidden else [name]), *(column for column in kept if column in made.open)),
    )


ENDS: tuple[Callable[[str, str], str], ...] = (
    lambda sql, x: f"SELECT {x} FROM ({sql}) AS z",
    lambda sql, x: f"SELECT * FROM ({sql})",
    lambda sql, x: f"SELECT COLUMNS('{x}') FROM ({sql})",
    lambda sql, x: f"SELECT COLUMNS(*) || '' FROM ({sql})",
    lambda sql, x: f"SELECT z FROM ({sql}) AS z",
    lambda sql, x: f"SELECT unnest(z) FROM ({sql}) AS z",
    lambda sql, x: f"SELECT max({x}) AS m, count(*) AS customers FROM ({sql})",
    lambda sql, x: f"SELECT {x}, count(*) AS customers FROM ({sql}) GROUP BY ALL",
    lambda sql, x: f"SELECT (SELECT max({x}) FROM ({sql})) AS m",
)


@st.composite
def leaks(draw: st.DrawFn) -> str:
    """A query whose result depends on personal data."""
    made = draw(queries(secret=True))
    x = draw(st.sampled_from(made.secret))
    if draw(st.booleans()):
        aggregate = draw(st.sampled_from(AGGREGATES)).format(x=x, y=draw(st.sampled_from(made.columns)))
        return f"SELECT {aggregate} AS m FROM ({made.sql})"
    return draw(st.sampled_from(ENDS))(made.sql, x)


@st.composite
def attempts(draw: st.DrawFn) -> str:
    """A query that may depend on personal data or not: columns that do not, and counts of those that do."""
    made = draw(queries())
    shown = [column for column in made.open if draw(st.booleans())] or list(made.open[:1])
    shown += [draw(st.sampled_from(made.columns))] if draw(st.integers(0, 3)) == 0 else []
    counted = [f"count(DISTINCT {column}) AS c{n}" for n, column in enumerate(made.secret)]
    grouped = draw(st.booleans())
    listed = [*dict.fromkeys(shown), *(counted if grouped else ())] or ["count(*) AS c"]
    return f"SELECT {', '.join(listed)} FROM ({made.sql}) AS z" + (" GROUP BY ALL" if grouped else "")
