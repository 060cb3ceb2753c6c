"""Views in the warehouse: made, renewed and dropped, in the running transaction."""

from __future__ import annotations

from courier.storage.connection import Connection
from courier.storage.duck import quote, text
from courier.storage.postgres.session import Session
from courier.storage.warehouse import PRIVATE


def drop_view(connection: Connection, schema: str, view: str) -> str:
    """Remove a view, if it is there. Returns why it stays: in Postgres, another view may read it; "" if it is gone."""
    dropping = f"DROP VIEW IF EXISTS {_name(schema, view)}"
    if isinstance(connection, Session):
        return _attempted(connection, dropping)
    connection.execute(dropping)
    return ""


def make_view(connection: Connection, schema: str, view: str, sql: str, meaning: str) -> str:
    """Make a view, or make it anew. Names without a schema are those of its own. Returns why it cannot be, or ""."""
    # On a line of its own, so that DuckDB counts the lines of the file.
    making = f"CREATE OR REPLACE VIEW {_name(schema, view)} AS\n{sql}"
    comment = f"COMMENT ON VIEW {_name(schema, view)} IS {text(meaning)}"
    if isinstance(connection, Session):
        return _made(connection, schema, view, [making, comment])
    for statement in (making, comment):
        connection.execute(statement)
    return ""


def _made(session: Session, schema: str, view: str, statements: list[str]) -> str:
    """A view whose columns are others than before has to go first, which fails where somebody's own view reads it."""
    session.native(f"SET LOCAL search_path TO {quote(schema)}, pg_temp")
    problem = _attempted(session, *statements)
    if problem and not drop_view(session, schema, view):
        problem = _attempted(session, *statements)
    session.native("SET LOCAL search_path TO DEFAULT")
    return problem


def _attempted(session: Session, *statements: str) -> str:
    with session.attempting() as problems:
        for statement in statements:
            session.execute(statement)
    return "; ".join(problems)


def _name(schema: str, view: str) -> str:
    return f"{PRIVATE}.{quote(schema)}.{quote(view)}"
