"""`courier` in a hurry, and maybe killed: python -m tests.runs.hurried_run KILL ARGUMENT...

Every wait takes a fiftieth of its time. KILL is `-`, or the number of the event at which the process kills itself.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from courier import clock
from courier.cli import main, progress
from courier.runtime.events import Event, Report

HURRY = 50.0
_rendering = progress.rendering


def _mortal(report: Report, left: int) -> Report:
    def told(event: Event) -> None:
        nonlocal left
        report(event)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return told


@contextmanager
def _until_killed(**options: bool) -> Iterator[Report]:
    with _rendering(**options) as report:
        yield _mortal(report, int(KILL))


def _hurried(seconds: float) -> None:
    time.sleep(seconds / HURRY)


if __name__ == "__main__":
    KILL = sys.argv[1]
    sys.argv[:] = ["courier", *sys.argv[2:]]
    clock.sleep = _hurried
    if KILL != "-":
        progress.rendering = _until_killed
    main()
