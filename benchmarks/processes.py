"""What processes that go on have used so far, they and everything below them: CPU seconds and memory."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.reaper import descendants

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of the process and all below it, those that have ended and were waited for included."""
    return sum(map(_ticks, (pid, *descendants(pid)))) / TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended: its parent has its ticks, or will
        return 0
    return sum(map(int, fields[11:15]))  # user and system time, and those of children that have ended


def peak_mb(pid: int) -> int:
    """The most memory that any of them had, megabytes."""
    return max(map(_peak, (pid, *descendants(pid)))) // 1000


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
