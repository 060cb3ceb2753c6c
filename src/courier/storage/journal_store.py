"""Where the journal of activations is: an SQLite file of this machine, or a schema of Postgres that all hosts share.

Every entry is a transaction of its own, and on disk when that has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Row
from threading import Lock
from typing import Any, Protocol

from courier.storage.connection import transaction
from courier.storage.journal_tables import STEPS
from courier.storage.ledger_tables import create_ledger
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.journal_tables import SCHEMA, journal_steps
from courier.storage.postgres.session import Session
from courier.storage.sqlite_file import SqliteFile


class Statements(Protocol):
    """Takes SQL that both understand, with `?` for values; a row is a mapping from its columns."""

    def execute(self, query: str, values: Sequence[Any] = (), /) -> list[Mapping[str, Any]]: ...


class Store(Protocol):
    """Raises WarehouseUnreachable, if it is a database."""

    def opened(self) -> AbstractContextManager[Statements]:
        """One transaction, on disk when the block has ended. Makes the journal where there is none."""

    def reading(self) -> AbstractContextManager[Statements | None]:
        """The same, and None where there is none."""


@dataclass(frozen=True)
class FileStore:
    """activations.db of one place."""

    path: Path

    @contextmanager
    def opened(self) -> Iterator[Statements]:
        with SqliteFile(self.path, STEPS).opened() as connection:
            connection.row_factory = Row
            yield _OfSqlite(connection)

    @contextmanager
    def reading(self) -> Iterator[Statements | None]:
        if not self.path.exists():
            yield None
            return
        with self.opened() as statements:
            yield statements


@dataclass(frozen=True)
class _OfSqlite:
    connection: SqliteConnection

    def execute(self, query: str, values: Sequence[Any] = (), /) -> list[Mapping[str, Any]]:
        return [dict(row) for row in self.connection.execute(query, values)]


@dataclass(frozen=True)
class DatabaseStore:
    """The schema `courier_journal`.

    Whoever applies an activation writes through the session that holds its lock: having lost the lock, it can intend
    nothing more, and what is not intended is not sent.
    """

    database: Postgres
    turn: Lock = field(default_factory=Lock, repr=False, compare=False)  # of threads that share the session

    @contextmanager
    def opened(self) -> Iterator[Statements]:
        with self.turn, self.database.session() as session, _durable(session):
            if journal_steps(session) < len(STEPS):
                create_ledger(session, {})
            yield _entering(session)

    @contextmanager
    def reading(self) -> Iterator[Statements | None]:
        with self.turn, self.database.session() as session, _durable(session):
            yield _entering(session) if journal_steps(session) else None


@contextmanager
def _durable(session: Session) -> Iterator[None]:
    with transaction(session):
        # A server may be set not to wait for its disk: an intent that it forgets would be sent twice.
        session.native("SET LOCAL synchronous_commit TO on")
        yield


def _entering(session: Session) -> Statements:
    session.native(f"SET LOCAL search_path TO {SCHEMA}, pg_temp")
    return _OfPostgres(session)


@dataclass(frozen=True)
class _OfPostgres:
    session: Session

    def execute(self, query: str, values: Sequence[Any] = (), /) -> list[Mapping[str, Any]]:
        done = self.session.native(query.replace("?", "%s"), values)
        names = [one[0] for one in done.description or ()]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()] if names else []
