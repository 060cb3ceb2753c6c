"""One clock for many processes: it stands still while any of them works, and goes on when all of them sleep.

They are woken one at a time, in order of time, so that a seed decides what happens. Whoever waits says until when over
a socket that ends with its process, also when that is killed.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from courier import clock
from courier.cli import progress
from courier.errors import Locked
from courier.runtime import place
from courier.runtime.events import Event, Report

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
NUMBER = struct.Struct("<q")
STUCK_SECONDS = 60.0  # of real time: a process that works for so long never comes to an end
EVENT_SECONDS = 7.0  # that pass with each event of a run
LOCK_SECONDS = 5.0  # between tries for a lock that another one holds


@dataclass(eq=False)
class Sleeper:
    """A process. `wake` is None while it works."""

    number: int
    connection: socket.socket
    pid: int = 0
    wake: datetime | None = None


class Timekeeper:
    """The clock's own side, in the test's process."""

    def __init__(self, path: Path, begin: datetime) -> None:
        self.path, self._now = path, begin
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._known = 0
        self.sleepers: list[Sleeper] = []

    def now(self) -> datetime:
        return self._now

    def expect(self) -> Sleeper:
        """Wait for a process that has just been started."""
        self._listener.settimeout(STUCK_SECONDS)
        return self._accept()

    def _accept(self) -> Sleeper:
        connection, _ = self._listener.accept()
        connection.settimeout(STUCK_SECONDS)
        self._known += 1
        found = Sleeper(self._known, connection)
        self.sleepers.append(found)
        return found

    def next(self) -> Sleeper | None:
        """Who is to be woken next, once nobody works any more."""
        while self._accept_waiting() or any(self._listen(one) for one in [*self.sleepers] if one.wake is None):
            pass
        return min(self.sleepers, key=lambda one: (one.wake, one.number), default=None)

    def _accept_waiting(self) -> bool:
        self._listener.settimeout(0)
        try:
            self._accept()
        except BlockingIOError:
            return False
        return True

    def _listen(self, one: Sleeper) -> bool:
        pid = _receive(one.connection) if not one.pid else one.pid
        until = _receive(one.connection) if pid is not None else None
        if pid is None or until is None:
            self.forget(one)
        else:
            one.pid, one.wake = pid, EPOCH + until * MOMENT
        return True

    def forget(self, one: Sleeper) -> None:
        """It is gone."""
        one.connection.close()
        self.sleepers.remove(one)

    def pass_to(self, instant: datetime) -> None:
        self._now = max(self._now, instant)

    def wake(self, one: Sleeper) -> None:
        assert one.wake is not None
        self.pass_to(one.wake)
        one.wake = None
        _send(one.connection, self._now)

    def __enter__(self) -> Timekeeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.sleepers:
            one.connection.close()
        self._listener.close()


class SimulatedClock:
    """A process's side."""

    def __init__(self, path: str) -> None:
        self._path, self._now = path, EPOCH
        self._connection = _connected(path)

    def begin(self) -> None:
        """Say who one is, and learn the time."""
        self._connection.sendall(NUMBER.pack(os.getpid()))
        self._until(EPOCH)

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._until(self._now + timedelta(seconds=seconds))

    def _until(self, instant: datetime) -> None:
        _send(self._connection, instant)
        woken = _receive(self._connection)
        if woken is None:  # the test is over
            os._exit(1)
        self._now = EPOCH + woken * MOMENT

    def for_child(self) -> socket.socket:
        """A place at the clock for a process that is about to be made: the time must not go on without it."""
        return _connected(self._path)

    def become_childs(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()


def _connected(path: str) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.connect(path)
    return found


def _send(connection: socket.socket, instant: datetime) -> None:
    connection.sendall(NUMBER.pack((instant - EPOCH) // MOMENT))


def _receive(connection: socket.socket) -> int | None:
    """None where the other side is gone."""
    try:
        body = connection.recv(NUMBER.size, socket.MSG_WAITALL)
    except ConnectionResetError:
        return None
    return NUMBER.unpack(body)[0] if len(body) == NUMBER.size else None


def live_by(made: SimulatedClock) -> None:
    """Everything in this process goes by it from now on; each event of a run takes its time."""
    real = clock.now
    for module in list(sys.modules.values()):
        if module.__name__.startswith("courier.") and getattr(module, "now", None) is real:
            module.now = made.now  # type: ignore[attr-defined]
    clock.sleep = made.sleep
    rendering = progress.rendering

    @contextmanager
    def paced(**options: bool) -> Iterator[Report]:
        with rendering(**options) as report:

            def told(event: Event) -> None:
                report(event)
                made.sleep(EVENT_SECONDS)

            yield told

    progress.rendering = paced
    _wait_for_locks_by(made)


def _wait_for_locks_by(made: SimulatedClock) -> None:
    """To wait in the kernel would stop the clock for whoever holds the lock."""
    flock = place._flock

    def patient(handle: int, what: str, wait: bool) -> None:
        while True:
            try:
                return flock(handle, what, False)
            except Locked:
                if not wait:
                    raise
                made.sleep(LOCK_SECONDS)

    place._flock = patient
