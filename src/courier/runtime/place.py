"""Where a project keeps what it does: `.courier/`, or `.courier/sandbox/` for made-up data. Private to its user."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from courier.errors import Locked
from courier.storage.postgres.database import Postgres, lock_of
from courier.storage.warehouse import Files, Warehouse, make_folder


@dataclass(frozen=True)
class Place:
    """The folders and files of one project, real or sandbox. `database`: where rows go, if not into its own files."""

    root: Path
    sandbox: bool
    database: Postgres | None = None

    @property
    def state(self) -> Path:
        return self.root / ".courier" / "sandbox" if self.sandbox else self.root / ".courier"

    @property
    def warehouse(self) -> Warehouse:
        """Where rows are kept."""
        return self.database or self.files

    @property
    def files(self) -> Files:
        return Files.of(self.root, self.sandbox)

    @property
    def runs(self) -> Path:
        return self.state / "runs"

    @property
    def history(self) -> Path:
        return self.state / "state.db"

    @property
    def activations(self) -> Path:
        """The journal of activations, where rows go into files too."""
        return self.state / "activations.db"

    @property
    def budgets(self) -> Path:
        return self.state / "budgets"


def private_folder(path: Path) -> Path:
    """The folder, made with 0700 together with those above it that are missing."""
    make_folder(path)
    return path


@contextmanager
def courier_lock(place: Place, courier: str, *, wait: bool = True) -> Iterator[Place]:
    """One run per courier at a time, over all processes, and with a database over all hosts.

    Yields the place to go on with, which commits through the session that holds the database's lock. Raises Locked
    when `wait` is false and another one runs.
    """
    with _held(place, place.state / "locks" / f"{courier}.lock", lock_of(courier), wait) as held:
        yield held


@contextmanager
def group_lock(place: Place, group: str, *, wait: bool = True) -> Iterator[None]:
    """One run per group at a time, over all processes. Raises Locked when `wait` is false and another one runs."""
    with _locked(_group_lock(place, group), f"group {group}", wait):
        yield


@contextmanager
def activation_lock(place: Place, activation: str, *, wait: bool = True) -> Iterator[Place]:
    """One apply per activation at a time, as for couriers: the journal is written through the session with the lock."""
    with _held(place, _activation_lock(place, activation), f"activation {activation}", wait) as held:
        yield held


@contextmanager
def activation_locks_here(place: Place, activations: Iterable[str], *, wait: bool = True) -> Iterator[None]:
    """No process of this machine applies any of them. For whoever holds none yet: they are taken in one order."""
    with ExitStack() as held:
        for name in sorted(activations):
            held.enter_context(_locked(_activation_lock(place, name), f"activation {name}", wait))
        yield


@contextmanager
def _held(place: Place, path: Path, what: str, wait: bool) -> Iterator[Place]:
    """The lock of this machine and, with a database, that of all hosts."""
    with _locked(path, what, wait):
        if place.database is None:
            yield place
            return
        with place.database.locked(what, wait=wait) as database:
            yield replace(place, database=database)


def _activation_lock(place: Place, activation: str) -> Path:
    return place.state / "locks" / "activations" / f"{activation}.lock"


def _group_lock(place: Place, group: str) -> Path:
    return place.state / "locks" / "groups" / f"{group}.lock"


@contextmanager
def _locked(path: Path, what: str, wait: bool) -> Iterator[None]:
    private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _flock(handle, what, wait)
        yield
    finally:
        os.close(handle)


def _flock(handle: int, what: str, wait: bool) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError as held:
        raise Locked(
            f"{what} is running in another process",
            fix="wait for it (leave out --no-wait), or look at it with `courier status`",
        ) from held


@contextmanager
def one_session(place: Place) -> Iterator[Place]:
    """The place with one session for all that is asked of its database. Raises WarehouseUnreachable."""
    if place.database is None:
        yield place
        return
    with place.database.session() as session:
        yield replace(place, database=replace(place.database, held=session))


def is_running(place: Place, courier: str) -> bool:
    """Whether a process holds the courier's lock."""
    if place.database is not None and place.database.is_locked(lock_of(courier)):
        return True
    return _is_held(place.state / "locks" / f"{courier}.lock")


def is_group_running(place: Place, group: str) -> bool:
    """Whether a process holds the group's lock."""
    return _is_held(_group_lock(place, group))


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
