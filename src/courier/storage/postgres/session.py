"""The one door to psycopg2: sessions in UTC that take DuckDB's SQL, and tell what is stored in DuckDB's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from courier.errors import CourierError, WarehouseUnreachable
from courier.storage.duck import quote

# sqlglot takes 0.1 s to import, and psycopg2 0.03: both wait until there is something to send.
if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection
    from psycopg2.extensions import cursor as Cursor

# A look-up in a list of rows is hashed as long as the list fits; beyond it every row would read the whole list.
_SETTINGS = {"TimeZone": "UTC", "work_mem": "128MB", "idle_session_timeout": "0", "client_min_messages": "warning"}
_WORDS = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "text[]": "VARCHAR[]",
    "double precision": "DOUBLE",
}
COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'p') AND a.attnum > 0 AND NOT a.attisdropped
        AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_') AND NOT starts_with(n.nspname, %s)
        {also}
    ORDER BY n.nspname, c.relname, a.attnum
"""
LANDING = "courier_landing_"
"""How the schemas begin that runs land in."""


class Untranslatable(Exception):
    """SQL of somebody's view that sqlglot does not understand; its text says where."""


class Session:
    """One connection. Every statement stands for itself until `BEGIN TRANSACTION`."""

    def __init__(self, connection: PsycopgConnection, shown: str) -> None:
        self._connection = connection
        self._cursor: Cursor = connection.cursor()
        self.shown = shown

    @property
    def number(self) -> int:
        """The server's process of this session."""
        return int(self._connection.get_backend_pid())

    @property
    def description(self) -> Sequence[Any] | None:
        described: Sequence[Any] | None = self._cursor.description
        return described

    def execute(self, query: str, parameters: Any = None, /) -> Session:
        """Do what the SQL does in DuckDB. The result is that of its last statement that gives rows."""
        from courier.storage.postgres.translate import translated

        for statement in translated(query):
            self.native(statement, parameters)
        return self

    def native(self, statement: str, parameters: Any = None) -> Session:
        """Send SQL of Postgres's own, with `%s` for values. Raises WarehouseUnreachable."""
        with _telling(self.shown):
            self._cursor.execute(statement, parameters or None)
        return self

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return list(self._cursor.fetchall())

    def columns(self, *schemas: str) -> list[tuple[str, str, str, str]]:
        """Schema, table, column and DuckDB's name of its type, of every table and view of these schemas, or of all.

        In their order.
        """
        query = COLUMNS.format(also="AND n.nspname = ANY(%s)" if schemas else "")
        rows = self.native(query, [LANDING, list(schemas)] if schemas else [LANDING]).fetchall()
        return [(schema, table, column, duck_word(kind)) for schema, table, column, kind in rows]

    def has_schema(self, name: str) -> bool:
        return self.native("SELECT 1 FROM pg_namespace WHERE nspname = %s", [name]).fetchone() is not None

    def tries_lock(self, name: str) -> bool:
        """Take the lock of this name until the session ends, unless another session has it."""
        row = self.native("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]).fetchone()
        return bool(row[0])

    def sees_lock(self, name: str) -> bool:
        """Whether a session holds the lock of this name."""
        query = """
            SELECT 1 FROM pg_locks, (SELECT hashtextextended(%s, 0) AS key) k
            WHERE locktype = 'advisory' AND granted AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32 | objid::bigint) = key
        """
        return self.native(query, [name]).fetchone() is not None

    def locks_until_commit(self, name: str) -> None:
        """Wait for the lock of this name, and hold it until the transaction ends."""
        self.native("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

    @contextmanager
    def attempting(self) -> Iterator[list[str]]:
        """Statements that may fail without ending the transaction. Yields a list, which gets the reason if they do."""
        import psycopg2

        problems: list[str] = []
        self.native("SAVEPOINT attempt")
        try:
            yield problems
            self.native("RELEASE SAVEPOINT attempt")
        except psycopg2.Error as error:
            problems.append((error.diag.message_primary or type(error).__name__).strip())
            self.native("ROLLBACK TO SAVEPOINT attempt")

    def close(self) -> None:
        self._connection.close()


def duck_word(kind: str) -> str:
    """`numeric(19,4)` is DECIMAL(19,4), `timestamp with time zone` the same in capitals."""
    if kind.startswith("numeric"):
        return kind.replace("numeric", "DECIMAL").replace(" ", "")
    return _WORDS.get(kind, kind.upper())


def connect(url: str, shown: str, *, made_if_missing: bool = False) -> Session:
    """A new session. `shown` names the database to people.

    made_if_missing: make the database that is not there yet. Raises WarehouseUnreachable, which tells no password.
    """
    import psycopg2

    with _telling(shown):
        try:
            connection = psycopg2.connect(url, **_CONNECTING)
        except psycopg2.OperationalError as error:
            if not made_if_missing or not _is_missing(error):
                raise
            _make_database(url)
            connection = psycopg2.connect(url, **_CONNECTING)
        connection.autocommit = True
        session = Session(connection, shown)
    for name, value in _SETTINGS.items():
        session.native(f"SET {name} = '{value}'")
    return session


_CONNECTING: dict[str, Any] = {
    "connect_timeout": 15,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "application_name": "courier",
}


def _is_missing(error: Exception) -> bool:
    """Whether the server is there and the database is not: before a session begins, psycopg2 gives no code."""
    return str(error).rstrip().endswith("does not exist") and "database" in str(error)


def _make_database(url: str) -> None:
    import psycopg2

    parts = urlsplit(url)
    connection = psycopg2.connect(parts._replace(path="/postgres").geturl(), **_CONNECTING)
    connection.autocommit = True
    name = unquote(parts.path.removeprefix("/"))
    with closing(connection), suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
        connection.cursor().execute(f"CREATE DATABASE {quote(name)} TEMPLATE template0 ENCODING 'UTF8'")


@contextmanager
def _telling(shown: str) -> Iterator[None]:
    """Turn a connection that cannot be made, or was lost, into what a person can act on; psycopg2 quotes the URL."""
    import psycopg2

    try:
        yield
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise _lost(shown, error) from None


_STOPPED = {
    "40001": "another transaction was in its way",
    "40P01": "it and another one waited for each other",
    "55P03": "lock_timeout was over",
    "57014": "statement_timeout was over, or somebody cancelled it",
}
"""SQLSTATE -> what it means for whoever reads it. The connection is still there."""


def _lost(shown: str, error: Exception) -> CourierError:
    import psycopg2

    code = getattr(error, "pgcode", None)
    if isinstance(error, psycopg2.errors.DiskFull):
        return WarehouseUnreachable(f"Postgres at {shown} has no room left. Nothing was committed.")
    if code in _STOPPED:
        return WarehouseUnreachable(
            f"Postgres at {shown} stopped a statement: {_STOPPED[code]} ({code}). Nothing was committed.",
            fix="courier retry RUN; where it happens again, let the URL's user wait longer",
        )
    reason = f" ({code})" if code else ""
    return WarehouseUnreachable(
        f"Postgres at {shown} cannot be reached, or the connection was lost{reason}.",
        fix="see that the server is there and takes the URL's user and password; a run goes on with: courier retry RUN",
    )
