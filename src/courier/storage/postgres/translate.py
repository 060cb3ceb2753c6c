"""DuckDB's SQL -> Postgres's, by sqlglot: so that the commit is written once, and is the same commit in both.

Beyond what sqlglot does by itself: names lose the catalog `private`; a stored row is known by its `ctid`, where DuckDB
has a `rowid`; rows are compared as records, in which null has a place; a cast that may fail asks a function of
courier's; a temporary relation is replaced by dropping the old one first, and a temporary table is analysed, because
Postgres knows nothing of it otherwise and then plans loops over all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from courier.storage.postgres.session import Untranslatable

PRIVATE = "private"
"""The catalog that a DuckDB file is attached under; in Postgres there is but the one of the connection."""
TRY_CAST = "courier.try_cast"
"""(text, null of the wanted type) -> the value, or null: Postgres has no cast that may fail before its version 16."""


@lru_cache(maxsize=4096)
def translated(sql: str) -> tuple[str, ...]:
    """The statements that do in Postgres what `sql`, one or several, does in DuckDB. Costs 2 ms the first time.

    Raises Untranslatable.
    """
    try:
        statements = [one for one in sqlglot.parse(sql, read="duckdb") if isinstance(one, exp.Expression)]
        return tuple(text for one in statements for text in _statements(one))
    except SqlglotError as error:
        raise Untranslatable(f"it cannot be told in Postgres's SQL: {str(error).splitlines()[0]}") from None


def _statements(statement: exp.Expression) -> Iterator[str]:
    statement = statement.transform(_node)
    _name_subqueries(statement)
    temporary = _temporary(statement)
    if temporary is None:
        yield _written(statement)
        return
    kind, name = temporary
    statement.set("replace", False)
    yield f"DROP {kind} IF EXISTS pg_temp.{name} CASCADE"
    yield _written(statement)
    if kind == "TABLE":
        yield f"ANALYZE pg_temp.{name}"


def _written(statement: exp.Expression) -> str:
    return statement.sql(dialect="postgres")


def _temporary(statement: exp.Expression) -> tuple[str, str] | None:
    """TABLE or VIEW and the name, of a statement that makes or replaces a temporary one."""
    if not isinstance(statement, exp.Create) or not statement.args.get("replace"):
        return None
    properties = statement.args.get("properties")
    if properties is None or properties.find(exp.TemporaryProperty) is None:
        return None
    return str(statement.args["kind"]).upper(), _written(statement.this)


def _node(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.Table | exp.Column) and node.text("catalog") == PRIVATE:
        node.set("catalog", None)
    if isinstance(node, exp.Column) and node.name == "rowid":
        return exp.column("ctid", table=node.args.get("table"))
    if isinstance(node, exp.Anonymous) and node.name.lower() == "row":
        return exp.cast(node, exp.DataType.build("record", udt=True))
    if isinstance(node, exp.Split):
        return exp.Anonymous(this="string_to_array", expressions=[node.this, node.expression])
    if isinstance(node, exp.TryCast):
        nothing = exp.cast(exp.Null(), node.to.copy())
        tried = exp.Anonymous(this=TRY_CAST, expressions=[exp.cast(node.this, "text"), nothing])
        return exp.cast(tried, node.to.copy())
    return node


def _name_subqueries(statement: exp.Expression) -> None:
    """A subquery in a FROM has to have a name before Postgres 16."""
    for number, subquery in enumerate(statement.find_all(exp.Subquery)):
        if isinstance(subquery.parent, exp.From | exp.Join) and not subquery.alias:
            subquery.set("alias", exp.TableAlias(this=exp.to_identifier(f"_q{number}")))
