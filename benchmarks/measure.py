"""What a command costs: wall and CPU seconds, and memory, of the whole tree of processes that it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

MB = 1_000_000
_REAPER = Path(__file__).with_name("reaper.py")


@dataclass(frozen=True)
class Usage:
    """Seconds and bytes. `exit_code` is None when the command's time was over and it was killed.

    `user` and `system` are the kernel's sums over every process below the command, also those that outlived their
    parent. `peak_rss` is the kernel's mark of the largest single process; `peak_tree_rss` the greatest sum over all
    processes, looked at every 20 ms, in which memory that processes share counts once for each.
    """

    exit_code: int | None
    wall: float
    user: float
    system: float
    peak_rss: int
    peak_tree_rss: int

    @property
    def cpu(self) -> float:
        return self.user + self.system

    @property
    def peak_mb(self) -> int:
        return round(self.peak_rss / MB)

    @property
    def tree_mb(self) -> int:
        return round(self.peak_tree_rss / MB)


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
) -> Usage:
    """Run a command to its end. Its stderr goes to `log`, its stdout beside it with the ending .out.

    `env` replaces the environment. A command that takes longer than `timeout` seconds is killed with all it started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="courier-measure-") as folder:
        result = Path(folder) / "usage.json"
        reaper = [sys.executable, "-I", "-S", str(_REAPER), str(result), str(timeout), *map(str, command)]
        with log.open("wb") as errors, log.with_suffix(".out").open("wb") as output:
            subprocess.run(reaper, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=cwd, env=env, check=True)
        return Usage(**json.loads(result.read_bytes()))


_LOOP = """
def loop():
    total = 0
    for number in range(10_000_000):
        total += number
loop()
"""


def pace() -> float:
    """CPU seconds of ten million additions, now: what such a second is worth where other machines share the cores."""
    with TemporaryDirectory(prefix="courier-measure-") as folder:
        return run([sys.executable, "-I", "-S", "-c", _LOOP], log=Path(folder) / "pace.log").cpu


def added(parts: Sequence[Usage]) -> Usage:
    """Commands run one after another, as one: seconds added up, the greatest of each peak, the last one's exit code."""
    return Usage(
        parts[-1].exit_code,
        sum(i.wall for i in parts),
        sum(i.user for i in parts),
        sum(i.system for i in parts),
        max(i.peak_rss for i in parts),
        max(i.peak_tree_rss for i in parts),
    )


def courier_command() -> list[str]:
    """The courier of this environment."""
    return [str(Path(sys.executable).with_name("courier"))]
