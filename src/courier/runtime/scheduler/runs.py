"""The runs that are under way: those that this scheduler started, and those that it found."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from courier.runtime.place import Place, is_group_running
from courier.runtime.scheduler.launch import Process, alive, launch


@dataclass(frozen=True)
class Running:
    """A run of a group.

    scheduled: its S; None where somebody else runs the group, for whose end one only waits
    process:   None where another scheduler started it
    log_from:  where in the group's log its output begins
    before:    the latest run of this S in the history when it started
    """

    scheduled: datetime | None
    process: Process | None = None
    pid: int | None = None
    log_from: int = 0
    before: str | None = None


class Runs:
    def __init__(self, place: Place) -> None:
        self._place = place
        self._running: dict[str, Running] = {}

    def __contains__(self, group: str) -> bool:
        return group in self._running

    def __len__(self) -> int:
        """How many of them are ours or an earlier scheduler's."""
        return sum(one.scheduled is not None for one in self._running.values())

    @property
    def any(self) -> bool:
        return bool(self._running)

    def start(self, group: str, scheduled: datetime, before: str | None) -> Running:
        """Start it, or find out who runs it: `scheduled` of the answer is None if not this one."""
        found = self._elsewhere(group)
        if found is None:
            launched = launch(self._place, group, scheduled)
            found = (
                Running(scheduled, launched.process, launched.process.pid, launched.log_from, before)
                if launched
                else Running(None)
            )
        self._running[group] = found
        return found

    def _elsewhere(self, group: str) -> Running | None:
        return Running(None) if is_group_running(self._place, group) else None

    def adopt(self, group: str, scheduled: datetime) -> bool:
        """Whether a run that an earlier scheduler started is alive; it is watched from now on."""
        found = alive(self._place, group)
        if found is None:
            return False
        self._running[group] = Running(scheduled, None, found.pid)
        return True

    def ended(self) -> Iterator[tuple[str, Running, int | None]]:
        """Those that are over, each told once, with their exit code where it is known."""
        for group, running in list(self._running.items()):
            code = running.process.poll() if running.process else None
            if code is not None or (running.process is None and not self._is_alive(group)):
                del self._running[group]
                yield group, running, code

    def _is_alive(self, group: str) -> bool:
        return alive(self._place, group) is not None or is_group_running(self._place, group)

    def interrupt(self) -> None:
        """Ask every run of the schedule to end, as Ctrl-C does."""
        for running in self._running.values():
            if running.scheduled is not None and running.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(running.pid, signal.SIGINT)
