"""`courier`, struck by a signal as it reports an event: python -m tests.runs.struck_run SIGNAL EVENT ARGUMENT...

SIGNAL is a name such as SIGKILL; EVENT is JSON that the event's own JSON must hold, such as {"event": "Committing"}.
The process sends the signal to itself, so the event is where it dies, stops or is interrupted, whatever the machine.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from courier.cli import main, progress
from courier.runtime.events import Event, Report, as_json

_rendering = progress.rendering


def _striking(report: Report, number: int, wanted: dict[str, Any]) -> Report:
    def struck(event: Event) -> None:
        report(event)
        if wanted.items() <= as_json(event).items():
            os.kill(os.getpid(), number)

    return struck


def run(name: str, wanted: dict[str, Any]) -> None:
    @contextmanager
    def rendering(**options: bool) -> Iterator[Report]:
        with _rendering(**options) as report:
            yield _striking(report, signal.Signals[name], wanted)

    progress.rendering = rendering
    main()


if __name__ == "__main__":
    name, wanted = sys.argv[1], json.loads(sys.argv[2])
    sys.argv[:] = ["courier", *sys.argv[3:]]
    run(name, wanted)
