"""Views in the warehouse: made, renewed and dropped, in the running transaction."""

from __future__ import annotations

from courier.storage.connection import Connection
from courier.storage.duck import quote, text
from courier.storage.postgres.session import Session, Untranslatable
from courier.storage.spanned import UNION, Part, Spanned
from courier.storage.warehouse import PRIVATE


def drop_view(connection: Connection, schema: str, view: str) -> str:
    """Remove a view, if it is there. Returns why it stays: in Postgres, another view may read it; "" if it is gone."""
    dropping = f"DROP VIEW IF EXISTS {_name(schema, view)}"
    if isinstance(connection, Session):
        return _attempted(connection, *_translated(dropping))
    connection.execute(dropping)
    return ""


def make_view(connection: Connection, schema: str, view: str, select: str | Spanned, meaning: str) -> str:
    """Make a view, or make it anew. Names without a schema are those of its own. Returns why it cannot be, or ""."""
    # On a line of its own, so that DuckDB counts the lines of the file.
    making = f"CREATE OR REPLACE VIEW {_name(schema, view)} AS\n"
    comment = f"COMMENT ON VIEW {_name(schema, view)} IS {text(meaning)}"
    if isinstance(connection, Session):
        try:
            return _made(connection, schema, view, [_in_postgres(making, select), *_translated(comment)])
        except Untranslatable as why:
            return str(why)
    connection.execute(making + (select if isinstance(select, str) else select.sql))
    connection.execute(comment)
    return ""


def _translated(sql: str) -> tuple[str, ...]:
    from courier.storage.postgres.translate import translated

    return translated(sql)


def _in_postgres(making: str, select: str | Spanned) -> str:
    """The statement. Parts of the same form are translated once: of a thousand together, sqlglot makes two minutes."""
    if isinstance(select, str):
        return _translated(making + select)[0]
    made = _translated(f"{making}SELECT 1")[0].removesuffix("SELECT 1")
    return made + select.over(UNION.join(map(_part, select.parts)))


def _part(part: Part) -> str:
    """With other names in the place of its own; each of them comes back as it went, quoted in one way or the other."""
    sql, names = part.sql, {name: f"courier name {number}" for number, name in enumerate(part.names)}
    for name, other in names.items():
        sql = sql.replace(quote(name), quote(other)).replace(text(name), text(other))
    made = _translated(sql)[0]
    for name, other in names.items():
        made = made.replace(quote(other), quote(name)).replace(text(other), text(name))
    return made


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
            session.native(statement)
    return "; ".join(problems)


def _name(schema: str, view: str) -> str:
    return f"{PRIVATE}.{quote(schema)}.{quote(view)}"
