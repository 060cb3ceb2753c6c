"""DuckDB's instances that this process goes on with: to make one and to end it takes 25 ms, to lend one 2."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from courier.storage import duck

if TYPE_CHECKING:
    from courier.storage.duck import Connection

_MOST_IDLE = 2
_OWN = ("memory", "system", "temp")


@dataclass(frozen=True)
class _Settings:
    memory_limit: str
    threads: int | None


_idle: list[tuple[Connection, _Settings]] = []


@contextmanager
def lent(
    memory_limit: str = duck.MEMORY_LIMIT, threads: int | None = None, spill: Path | None = None
) -> Iterator[Connection]:
    """A connection as `duck.connect` makes it, to an instance that nobody else uses meanwhile.

    At the end its temporary tables are gone and what it attached is detached, and so written out. It is not for those
    who leave settings, tables or views behind in the instance.
    """
    wanted = _Settings(memory_limit, threads)
    instance, had = _idle.pop() if _idle else (duck.connect(memory_limit, threads=threads), wanted)
    try:
        with instance.cursor() as connection:
            _settle(connection, had, wanted, spill)
            yield connection
    except BaseException:
        instance.close()
        raise
    _keep(instance, wanted)


def _settle(connection: Connection, had: _Settings, wanted: _Settings, spill: Path | None) -> None:
    if had.memory_limit != wanted.memory_limit:
        connection.execute(f"SET memory_limit = {duck.text(wanted.memory_limit)}")
    if had.threads != wanted.threads:
        connection.execute("RESET threads" if wanted.threads is None else f"SET threads = {wanted.threads}")
    if spill:
        connection.execute(f"SET temp_directory = {duck.text(str(spill))}")
    duck.tidy(connection)


def _keep(instance: Connection, settings: _Settings) -> None:
    """Keep it for the next one.

    But not if it has spilled: its folder is removed with it. Nor if it is shut in. Nor if a file cannot be written out,
    for want of room: what was committed is in the log beside it, and whoever opens it next reads that.
    """
    try:
        _detach(instance)
        instance.execute("SET temp_directory = ''")
    except duck.error():
        instance.close()
        return
    _idle.append((instance, settings))
    while len(_idle) > _MOST_IDLE:
        _idle.pop(0)[0].close()


def _detach(instance: Connection) -> None:
    names = instance.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    for (name,) in names:
        if name not in _OWN:
            instance.execute(f"DETACH {duck.quote(name)}")


def _end() -> None:
    """At the end of the process, and before a fork, which would not have the instances' threads."""
    while _idle:
        _idle.pop()[0].close()


os.register_at_fork(before=_end)
atexit.register(_end)
