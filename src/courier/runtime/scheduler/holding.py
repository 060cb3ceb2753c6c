"""One scheduler per project and machine; and what it says of itself, for `courier status`."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from courier import clock
from courier.clock import now, rfc3339
from courier.errors import Locked
from courier.runtime.place import Place, private_folder

BEAT_SECONDS = 15.0
LINGERS = 100  # tenths of a second


@dataclass(frozen=True)
class SchedulerState:
    """A scheduler that is alive. `beat` is when it last said so; one that is much older hangs.

    groups have a schedule; `running` is how many of their runs are under way, `waiting` how many fires wait for other
    groups or for one of the `most` places.
    """

    pid: int
    since: datetime
    beat: datetime
    groups: int
    running: int
    waiting: int
    most: int

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "since": rfc3339(self.since), "beat": rfc3339(self.beat)}


def scheduler_state(place: Place) -> SchedulerState | None:
    """The scheduler of the place, or None where none is alive."""
    try:
        handle = os.open(_lock(place), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(place)
    finally:
        os.close(handle)
    return None


def _told(place: Place) -> SchedulerState:
    with suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads(_file(place).read_text("utf-8"))
        since, beat = (datetime.fromisoformat(told.pop(name)) for name in ("since", "beat"))
        return SchedulerState(since=since, beat=beat, **told)
    return SchedulerState(0, now(), now(), 0, 0, 0, 0)  # it starts at this very moment


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Be the one. Raises Locked, which says who is."""
    path = _lock(place)
    private_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _is_ours_soon(place, handle):
            raise _taken(place)
        _file(place).unlink(missing_ok=True)
        yield
    finally:
        if _is_own(handle):
            _file(place).unlink(missing_ok=True)
        os.close(handle)


def _is_ours_soon(place: Place, handle: int) -> bool:
    """A scheduler that was killed while it made a process leaves its lock there for a moment."""
    for _ in range(LINGERS):
        if _is_own(handle):
            return True
        if _is_alive(_told(place).pid):
            return False
        clock.sleep(0.1)
    return _is_own(handle)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != 0


def _taken(place: Place) -> Locked:
    state = _told(place)
    who = f" (pid {state.pid}, since {rfc3339(state.since)})" if state.pid else ""
    return Locked(
        f"another scheduler runs this project already{who}",
        fix=f"leave it to that one, or stop it first: kill {state.pid}" if state.pid else "leave it to that one",
    )


def _is_own(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def say_alive(place: Place, state: SchedulerState) -> None:
    """The heartbeat: one small file, replaced whole. A full disk does not stop the scheduler."""
    fresh = _file(place).with_suffix(".new")
    with suppress(OSError):
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(state.as_json()))
        fresh.replace(_file(place))


def _lock(place: Place) -> Path:
    return place.state / "scheduler.lock"


def _file(place: Place) -> Path:
    return place.state / "scheduler.json"
