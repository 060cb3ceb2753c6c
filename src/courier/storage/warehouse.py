"""The two DuckDB files of a project: the private one that runs write, and the published one that people open.

Every opening of the private file happens under one flock. DuckDB's own lock is not enough: in the process that holds
a database, opening and closing the same file once more (to copy it) drops DuckDB's POSIX lock, and another process
could then write too. So the file is copied only after it was closed, and still under the flock.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from courier import clock
from courier.errors import CourierError
from courier.storage import duck
from courier.storage.connection import Connection
from courier.storage.copying import copy_file
from courier.storage.instances import lent
from courier.storage.postgres.database import Postgres
from courier.storage.postgres.session import Session

if TYPE_CHECKING:
    from courier.storage.duck import Connection as DuckConnection

SANDBOX_FILE = "sandbox.duckdb"
PRIVATE = "private"
"""The name that the private file is attached under."""
SMALL_BLOCK = 16_384
"""Bytes. Of a file for many stores, each of which has a dozen small tables."""
_MEMORY = "320MB"

_held = threading.local()


@dataclass(frozen=True)
class Files:
    """Where a project keeps its rows. `marker` says which state of the private file was published last."""

    private: Path
    published: Path
    lock: Path
    marker: Path
    sandbox: bool = False

    @staticmethod
    def of(root: Path, sandbox: bool = False) -> Files:
        """The files of the project at `root`; the sandbox has its own, so that made-up rows never meet real ones."""
        folder = root / ".courier" / "sandbox" if sandbox else root / ".courier"
        return Files(
            private=folder / "private.duckdb",
            published=root / (SANDBOX_FILE if sandbox else "warehouse.duckdb"),
            lock=folder / "private.lock",
            marker=folder / "published.json",
            sandbox=sandbox,
        )


Warehouse: TypeAlias = Files | Postgres
"""Where rows are kept: two files of this machine, or a database."""


def _block_size(files: Files) -> int | None:
    """Of the private file, if it is made now: small for a project with a list of stores, else DuckDB's own."""
    return SMALL_BLOCK if any((files.published.parent / "couriers").glob("*.csv")) else None


@contextmanager
def lock(warehouse: Warehouse) -> Iterator[None]:
    """Hold the private file against every other process and thread. Waits; may be nested within one thread.

    In Postgres there is nothing to hold: couriers commit beside each other.
    """
    if isinstance(warehouse, Files):
        with _file_lock(warehouse):
            yield
    else:
        yield


@contextmanager
def _file_lock(files: Files) -> Iterator[None]:
    depths: dict[Path, int] = _held.__dict__.setdefault("depths", {})
    if depths.get(files.lock):
        depths[files.lock] += 1
        try:
            yield
        finally:
            depths[files.lock] -= 1
        return
    make_folder(files.lock.parent)
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        depths[files.lock] = 1
        yield
    finally:
        depths[files.lock] = 0
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """A folder that only its owner may enter, as are those above it that are missing."""
    for one in [*reversed(folder.parents), folder]:
        if not one.exists():
            one.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def opened(warehouse: Warehouse, threads: int | None = None, memory: str = _MEMORY) -> Iterator[Connection]:
    """A connection to what is committed, which names it `private`; to DuckDB's file alone, under its lock.

    threads, memory: of DuckDB, as for `duck.connect`.
    """
    if isinstance(warehouse, Postgres):
        with warehouse.session() as session:
            yield session
    else:
        with _opened_file(warehouse, threads, memory) as connection:
            yield connection


@contextmanager
def _opened_file(files: Files, threads: int | None, memory: str) -> Iterator[DuckConnection]:
    """A connection with the private file attached as `private`, under the lock; its end writes the file out."""
    with _file_lock(files), lent(memory, threads, files.private.parent / "spill") as connection:
        previous = os.umask(0o077)
        try:
            duck.attach(connection, files.private, PRIVATE, block_size=_block_size(files))
        finally:
            os.umask(previous)
        duck.leave_untidy(connection)  # or the first run after a change would tidy, whatever it came for
        yield connection


@contextmanager
def reading(
    source: Warehouse | Connection, threads: int | None = None, memory: str = _MEMORY
) -> Iterator[Connection | None]:
    """A connection to read the ledger through: the one given, a new one, or None where nothing was ever committed.

    threads, memory: of a new one, as for `opened`.
    """
    if not isinstance(source, Files | Postgres):
        yield source
    elif isinstance(source, Files) and not source.private.exists():
        yield None
    else:
        with opened(source, threads, memory) as connection:
            yield connection


def _nothing() -> None:
    pass


def publish(
    warehouse: Warehouse, before_replacing: Callable[[], None] = _nothing, last_changed: str | None = None
) -> list[str]:
    """Copy the private file over the published one, so that readers see either the old file or the new one, whole.

    Nothing of this thread may have the private file open. last_changed: as for `publish_if_behind`. Returns warnings
    for the person who runs it. In Postgres what is committed is what people read.
    """
    if isinstance(warehouse, Postgres):
        return []
    files = warehouse
    with lock(files):
        # Whoever closes the file writes it out: without a log beside it, it holds everything.
        written = last_changed is not None and not _wal(files.private).exists()
        state = last_changed if written else _checkpoint(files)
        copy = files.published.with_name(f".{files.published.name}.new")
        copy.unlink(missing_ok=True)
        copy_file(files.private, copy, 0o640)
        warnings = _set_aside(files.published)
        before_replacing()
        copy.replace(files.published)
        warnings += _set_aside(files.published)
        _sync_folder(files.published.parent)
        _mark(files, state)
    return warnings


def publish_if_behind(
    warehouse: Warehouse, before_replacing: Callable[[], None] = _nothing, last_changed: str | None = None
) -> list[str]:
    """Publish if a run changed rows and was killed before it could, or if the published file is gone.

    last_changed: what `last_change` says, where the caller has asked under the lock that it still holds.
    """
    if isinstance(warehouse, Postgres) or not warehouse.private.exists():
        return []
    files = warehouse
    with lock(files):
        marked = _marked(files)
        if files.published.exists() and marked.get("file") == _fingerprint(files.private):
            return heal(files.published)
        state = last_changed or _last_change(files)
        if state is None or (files.published.exists() and marked.get("run") == state):
            _mark(files, state)
            return heal(files.published)
        return publish(files, before_replacing, last_changed)


def _last_change(files: Files) -> str | None:
    with opened(files, threads=1) as connection:
        return last_change(connection)


def has_ledger(connection: Connection) -> bool:
    """Whether anything was ever committed. Schemas are listed in 0.6 ms, tables in 7."""
    if isinstance(connection, Session):
        return connection.has_schema("courier")
    query = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = 'courier'"
    return connection.execute(query, [PRIVATE]).fetchone() is not None


def last_change(connection: Connection) -> str | None:
    """The last committed run that changed anything."""
    if not has_ledger(connection):
        return None
    query = f"SELECT run FROM {PRIVATE}.courier.run WHERE changed ORDER BY committed_at DESC, run DESC LIMIT 1"
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else None


def heal(published: Path) -> list[str]:
    """Move a `.wal` aside that nobody's open file belongs to: it would make the published file unreadable.

    It comes from a shell that was open while the file was replaced, and wrote later; or from one that was killed.
    Returns warnings.
    """
    if not _wal(published).exists() or not published.exists():
        return []
    with published.open("rb") as file:
        try:
            # DuckDB holds a POSIX write lock while it may write: then the .wal is in use, and belongs to this file.
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return []
    return _set_aside(published)


def _checkpoint(files: Files) -> str | None:
    with opened(files) as connection:
        state = last_change(connection)
        connection.execute(f"CHECKPOINT {PRIVATE}")
    if _wal(files.private).exists():
        raise CourierError(
            "The private database could not be written out, so it was not published. What was committed is safe.",
            fix="Close other programs that have files in .courier/ open, then run the same command again.",
        )
    return state


def _set_aside(published: Path) -> list[str]:
    wal = _wal(published)
    aside = wal.with_name(f"{wal.name}.{clock.now():%Y%m%dT%H%M%S%f}")
    try:
        wal.rename(aside)
    except FileNotFoundError:
        return []
    return [
        f"Somebody wrote into {published.name}: {wal.name} was moved aside to {aside.name}. "
        f"{published.name} is replaced by every run, so keep your own tables in a file of your own."
    ]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mark(files: Files, run: str | None) -> None:
    beside = files.marker.with_suffix(".new")
    beside.write_text(json.dumps({"run": run, "file": _fingerprint(files.private)}), encoding="utf-8")
    beside.chmod(stat.S_IRUSR | stat.S_IWUSR)
    beside.replace(files.marker)


def _marked(files: Files) -> dict[str, object]:
    with suppress(FileNotFoundError, ValueError):
        marked = json.loads(files.marker.read_text(encoding="utf-8"))
        if isinstance(marked, dict):
            return marked
    return {}


def _fingerprint(path: Path) -> list[int]:
    """Tells whether the file was written since: its size and time, and whether a write-ahead log lies beside it."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, int(_wal(path).exists())]


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
