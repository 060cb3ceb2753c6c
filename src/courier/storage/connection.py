"""What the commit asks of a connection to a warehouse: DuckDB's own, or a session of Postgres that understands it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from courier.errors import CommitUnknown, WarehouseUnreachable


class Result(Protocol):
    """The rows that a statement gave."""

    @property
    def description(self) -> Sequence[Any] | None:
        """A sequence per column that begins with its name; None where the statement has no rows."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """Takes DuckDB's SQL, with `?` or `$name` for values."""

    def execute(self, query: str, parameters: Any = None, /) -> Result: ...


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All of the block, or nothing of it. Raises CommitUnknown where the answer to the commit was lost."""
    done = False
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
        _end(connection)
        done = True
    except CommitUnknown:
        done = True  # with its connection a transaction is gone, one way or the other
        raise
    finally:
        if not done:
            connection.execute("ROLLBACK")


def _end(connection: Connection) -> None:
    try:
        connection.execute("COMMIT")
    except WarehouseUnreachable as lost:
        raise CommitUnknown(
            f"{lost.message} It was lost at the commit: the next run sees whether that took effect, and goes on from "
            "there either way.",
            fix=lost.fix,
        ) from None
