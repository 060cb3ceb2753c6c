"""Run a command and say what all of its processes together used. A program of its own, of the standard library only.

    python reaper.py RESULT TIMEOUT COMMAND...

It makes itself the subreaper of what it starts, so a process whose parent has ended comes to it: every descendant's CPU
time is in the rusage of one that it waits for. It is small, because a process that is forked but has not yet called
exec counts its parent's memory as its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
LOOK = 0.02
LINGER = 5.0  # seconds that what outlives the command may go on
PAGE = os.sysconf("SC_PAGE_SIZE")


def descendants(root: int) -> list[int]:
    """Every process below `root`, parents first."""
    found, at = [root], 0
    while at < len(found):
        found += _children(found[at])
        at += 1
    return found[1:]


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - pathlib would be a third of this process
            with open(f"/proc/{pid}/task/{task}/children") as file:  # noqa: PTH123
                found += map(int, file.read().split())
    except OSError:  # it has just ended
        pass
    return found


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


class Watch(threading.Thread):
    """Looks at the whole tree every 20 ms: its memory, and whether its time is over."""

    def __init__(self, timeout: float) -> None:
        super().__init__(daemon=True)
        self.deadline = time.monotonic() + timeout
        self.peak = 0
        self.timed_out = False

    def run(self) -> None:
        while True:
            tree = descendants(os.getpid())
            self.peak = max(self.peak, sum(map(_resident, tree)))
            if time.monotonic() > self.deadline:
                self.timed_out = True
                kill(tree)
            time.sleep(LOOK)


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def run(command: list[str], timeout: float) -> dict[str, float | int | None]:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    watch = Watch(timeout)
    started = time.monotonic()
    main = os.posix_spawnp(command[0], command, os.environ)
    watch.start()
    code: int | None = None
    command_timed_out = False
    wall = user = system = 0.0
    largest = 0
    while True:
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        user, system = user + usage.ru_utime, system + usage.ru_stime
        largest = max(largest, usage.ru_maxrss)
        if pid == main:
            code, wall = os.waitstatus_to_exitcode(status), time.monotonic() - started
            watch.deadline = min(watch.deadline, time.monotonic() + LINGER)
            command_timed_out = watch.timed_out
    return {
        "exit_code": None if command_timed_out else code,
        "wall": wall,
        "user": user,
        "system": system,
        "peak_rss": largest * 1024,
        "peak_tree_rss": watch.peak,
    }


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    told = run(sys.argv[3:], float(sys.argv[2]))
    with open(sys.argv[1], "w") as result:  # noqa: PTH123
        json.dump(told, result)
