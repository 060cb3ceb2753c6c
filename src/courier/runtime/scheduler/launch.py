"""Runs of groups as processes that outlive the scheduler, each with a lock that lives exactly as long as it.

The lock is taken before the process is made and handed to it: there is no moment at which a run is alive and nobody
can tell. The file says whose it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from courier.clock import rfc3339
from courier.runtime.place import Place, private_folder

MOST_LOG = 1024 * 1024  # bytes of a group's log, after which it becomes the old one


class Process(Protocol):
    """What subprocess.Popen is to us."""

    pid: int

    def poll(self) -> int | None: ...


@dataclass(frozen=True)
class Launched:
    """`log_from`: where in the group's log its output begins."""

    process: Process
    log_from: int


@dataclass(frozen=True)
class Alive:
    """A run that a scheduler started and that is alive. `pid` and `scheduled` are None where its lock does not say."""

    pid: int | None
    scheduled: datetime | None


def command_of(place: Place, group: str, scheduled: datetime) -> list[str]:
    command = [sys.executable, "-m", "courier", "run", "--group", group, "--scheduled", rfc3339(scheduled)]
    return [*command, "--json", "--project", str(place.root), *(["--sandbox"] if place.sandbox else [])]


def launch(place: Place, group: str, scheduled: datetime) -> Launched | None:
    """Start the run. None where one that an earlier scheduler started is alive."""
    lock = _lock_of(place, group)
    private_folder(lock.parent)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(handle):
            return None
        os.truncate(handle, 0)
        log = _log(place, group)
        with log.open("ab") as output:
            begin = output.tell()
            process = spawn(command_of(place, group, scheduled), place.root, output.fileno(), handle)
        body = {"pid": process.pid, "scheduled": rfc3339(scheduled)}
        os.pwrite(handle, json.dumps(body).encode(), 0)
        return Launched(process, begin)
    finally:
        os.close(handle)


def spawn(command: Sequence[str], folder: Path, output: int, handle: int) -> Process:
    """A process in a session of its own, so that Ctrl-C and a hang-up reach the scheduler alone."""
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[handle],
        start_new_session=True,
    )


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def alive(place: Place, group: str) -> Alive | None:
    """The run of the group that a scheduler started, if it is alive."""
    try:
        handle = os.open(_lock_of(place, group), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return None if _taken(handle) else _told(os.pread(handle, 1000, 0))
    finally:
        os.close(handle)


def _told(body: bytes) -> Alive:
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(body)
        return Alive(int(told["pid"]), datetime.fromisoformat(told["scheduled"]))
    return Alive(None, None)


def last_problem(place: Place, group: str, begin: int) -> tuple[str, str]:
    """What a run that left nothing in the history said of its failure, and the fix; both "" where it said nothing."""
    with suppress(OSError), log_of(place, group).open("rb") as file:
        file.seek(begin)
        for line in reversed(file.read(MOST_LOG).decode(errors="replace").splitlines()):
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and event.get("event") in ("Problem", "ProjectProblem"):
                    return str(event.get("message", "")), str(event.get("fix", ""))
    return "", ""


def log_of(place: Place, group: str) -> Path:
    """Where the group's runs write what they say; beside it, with the ending .old, what they said before."""
    return place.state / "logs" / f"{group}.log"


def _log(place: Place, group: str) -> Path:
    path = log_of(place, group)
    private_folder(path.parent)
    if path.exists() and path.stat().st_size > MOST_LOG:
        path.replace(path.with_suffix(".old"))
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path


def _lock_of(place: Place, group: str) -> Path:
    return place.state / "locks" / "scheduled" / f"{group}.lock"
