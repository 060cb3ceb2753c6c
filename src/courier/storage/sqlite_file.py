"""A small SQLite file of one's own, private to its user, that an earlier courier may have made with fewer tables."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from courier.storage.warehouse import make_folder


@dataclass(frozen=True)
class SqliteFile:
    """steps: what each version of courier added, in order; the file's user_version says how many of them it has."""

    path: Path
    steps: Sequence[str]

    @property
    def exists(self) -> bool:
        return self.path.exists()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk when the block has ended. The file is made where there is none."""
        if not self.exists:
            self._make()
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA user_version").fetchone()[0] < len(self.steps):
                self._bring_up_to_date(connection)
            yield connection

    def _make(self) -> None:
        """The file with its tables, whole at once: several processes may all come first."""
        make_folder(self.path.parent)
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}")
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            self._bring_up_to_date(connection)
        with suppress(FileExistsError):
            os.link(draft, self.path)
        draft.unlink()

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        """Take the steps that the file lacks, all of them or none, whoever comes first."""
        connection.execute("BEGIN IMMEDIATE")
        there = connection.execute("PRAGMA user_version").fetchone()[0]
        for step in self.steps[there:]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(there, len(self.steps))}")
        connection.commit()
