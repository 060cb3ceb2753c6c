"""What the commit asks of a connection to a warehouse: DuckDB's own, or a session of Postgres that understands it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


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
