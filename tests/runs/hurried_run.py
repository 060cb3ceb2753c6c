"""Couriers in a hurry that are maybe killed, each a process of its own: python -m tests.runs.hurried_run

One line of JSON on stdin asks for one: its folder, environment, arguments, files for its output, and its end. It is
forked from this process, which has imported everything already (a second of CPU each time), and answered with its exit
code, negative for a signal. Every wait takes a fiftieth of its time, or, with "time", is as long as the clock of
tests.runs.simulated_time says at that socket. With "leave" the answer is its process id, at once, and {"wait": pid} is
answered with its exit code. A scheduler forks its runs in turn.

Its end is null, or one of {"event": {...}, "nth": n}: killed at the nth event that holds these values, or struck there
by the "signal" of that name; {"file": text, "nth": n}: before it makes, opens for writing, renames or removes the nth
file with this text in its path; {"step": n, "seconds": s}: as it opens an SQLite file or sends over HTTP for the nth
time, or so many seconds later; {"statement": n}: before it sends the nth statement to Postgres; {"cpu": seconds}: once
it has used so much CPU; {"bytes": n}: not killed, but no file may grow larger.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from courier import clock
from courier.cli import main, progress
from courier.config.known_connectors import KNOWN_CONNECTORS
from courier.runtime.events import Event, Report, as_json
from courier.runtime.scheduler import daemon, launch
from courier.sandbox import shop
from courier.sandbox.history.generate import generate
from courier.sandbox.history.options import Options
from courier.sandbox.history.rows import History
from courier.sandbox.shopify import documents
from courier.sandbox.shopify.versions import SUPPORTED
from courier.storage.postgres.session import Session
from tests.runs.simulated_time import SimulatedClock, live_by

HURRY = 50.0
BUSY_SECONDS, IDLE_SECONDS = 5.0, 3600.0  # of simulated time, which costs nothing but the looks
# None of them starts a thread, which a fork would lose: DuckDB's begin with its first connection, and pyarrow's, which
# begin at once, are those of its allocator, which QUIET keeps from it.
QUIET = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
IMPORTED = (
    "courier.cli.progress", "courier.runtime.group_run", "courier.storage.inspect",
    *(f"courier.connectors.{name}" for name in KNOWN_CONNECTORS),
    "courier.runtime.activation_run", "courier.storage.land", "courier.storage.views", "courier.config.load",
    "courier.sandbox.server", "courier.sandbox.telling", "courier.sandbox.shopify.truth", "courier.cli.published",
    "courier.config.cron_words", "courier.cli.table", "rich.console", "rich.table", "croniter", "dlt",
    "dlt.destinations", "dlt.destinations.impl.filesystem.filesystem", "dlt.normalize.items_normalizers",
    "dlt.common.libs.pyarrow", "dlt.sources.helpers.requests", "pyarrow.parquet", "pendulum.locales.en.locale", "pytz",
    "fsspec.implementations.local", "uvicorn.loops.auto", "uvicorn.lifespan.off", "uvicorn.protocols.http.h11_impl",
    "duckdb", "courier.storage.postgres.translate", "psycopg2", "adbc_driver_postgresql.dbapi",
    "dlt.destinations.impl.postgres.postgres",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
STEPS = ("sqlite3.connect", "http.client.send")
TOUCHING = frozenset(
    {"open", "os.rename", "os.remove", "os.truncate", "os.mkdir", "os.link", "os.rmdir", "shutil.rmtree"}
)


def _die(by: signal.Signals = signal.SIGKILL) -> None:
    os.kill(os.getpid(), by)


def _at_event(wanted: Mapping[str, Any], left: int, by: signal.Signals) -> None:
    rendering = progress.rendering

    @contextmanager
    def mortal(**options: bool) -> Iterator[Report]:
        with rendering(**options) as report:

            def told(event: Event) -> None:
                nonlocal left
                report(event)
                left -= wanted.items() <= as_json(event).items()
                if left == 0:
                    _die(by)

            yield told

    progress.rendering = mortal


def _at_file(text: str, left: int) -> None:
    here = str(Path.cwd())

    def told(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in TOUCHING and _is_within(here, text, event, arguments):
            left -= 1
            if left == 0:
                _die()

    sys.addaudithook(told)


def _at_step(left: int, seconds: float) -> None:
    def told(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        left -= event in STEPS
        if left == 0 and event in STEPS:
            if not seconds:
                _die()
            signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM ends the process as suddenly as SIGKILL

    sys.addaudithook(told)


def _at_statement(left: int) -> None:
    send = Session.native

    def mortal(self: Session, statement: str, parameters: Any = None) -> Session:
        nonlocal left
        left -= 1
        if left == 0:
            _die()
        return send(self, statement, parameters)

    Session.native = mortal  # type: ignore[method-assign]


def _is_within(here: str, text: str, event: str, arguments: tuple[Any, ...]) -> bool:
    path = arguments[0]
    if not isinstance(path, str | bytes | os.PathLike) or (event == "open" and not arguments[2] & WRITING):
        return False
    whole = os.path.join(here, os.fsdecode(path))  # noqa: PTH118
    return whole.startswith(here) and text in whole[len(here) :]


def _doom(end: Mapping[str, Any]) -> None:
    if "event" in end:
        _at_event(end["event"], end["nth"], signal.Signals[end.get("signal", "SIGKILL")])
    elif "file" in end:
        _at_file(end["file"], end["nth"])
    elif "step" in end:
        _at_step(end["step"], end["seconds"])
    elif "statement" in end:
        _at_statement(end["statement"])
    elif "bytes" in end:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write says that there is no room, as of a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (end["bytes"], end["bytes"]))
    else:
        signal.setitimer(signal.ITIMER_PROF, end["cpu"])  # SIGPROF ends the process as suddenly as SIGKILL


def _hurried(seconds: float) -> None:
    time.sleep(seconds / HURRY)


def _become(asked: Mapping[str, Any]) -> None:
    """Be the courier that was asked for."""
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    for number, path in enumerate((os.devnull, asked["out"], asked["err"])):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv[:] = ["courier", *asked["arguments"]]
    clock.sleep = _hurried
    if asked.get("time"):
        _live_by_simulated(asked["time"])
    if asked["end"]:
        _doom(asked["end"])
    try:
        main()
    except SystemExit as ended:
        _end(int(ended.code or 0))


def _end(code: int) -> None:
    """End as python does, but do not tear down what was imported: a quarter of a second of CPU for each fork."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, of pools too
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


_simulated: list[SimulatedClock] = []


def _live_by_simulated(path: str) -> None:
    made = SimulatedClock(path)
    made.begin()
    _simulated.append(made)
    daemon.BUSY_SECONDS, daemon.IDLE_SECONDS = BUSY_SECONDS, IDLE_SECONDS
    live_by(made)


class _Forked:
    """A run of a scheduler that was forked, as subprocess.Popen would have made it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _fork_run(command: Sequence[str], folder: Path, output: int, handle: int) -> _Forked:
    places = [made.for_child() for made in _simulated]
    child = os.fork()
    if child:
        for taken in places:
            taken.close()
        return _Forked(child)
    os.setsid()
    os.chdir(folder)
    for number, file in enumerate((os.open(os.devnull, os.O_RDWR), output, output)):
        os.dup2(file, number)
    _close_but({handle, *(taken.fileno() for taken in places)})
    for made, taken in zip(_simulated, places, strict=True):
        made.become_childs(taken)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv[:] = ["courier", *command[command.index("courier") + 1 :]]
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _close_but(kept: set[int]) -> None:
    ends = [2, *sorted(kept), 1024]
    for before, after in pairwise(ends):
        os.closerange(before + 1, after)


def _warm() -> None:
    """Have what every courier would import, read or build again."""
    os.environ.update(QUIET)
    for name in IMPORTED:
        import_module(name)
    documents.schema(SUPPORTED[-1])
    gc.collect()
    gc.freeze()  # so that a collection in a fork does not copy all of it


_generated = lru_cache(maxsize=8)(generate)


def _remembered(options: Options, anchor: int) -> History:
    return _generated(options, anchor).copy()


def _know_shop(folder: str) -> None:
    """Make the history of a project's sandbox before the fork: many projects are copies of one, and share its shop."""
    file = Path(folder, ".courier", "sandbox", shop.STATE_FILE)
    if file.exists():
        state = json.loads(file.read_bytes())
        known = _generated.cache_info().misses
        _generated(Options(**state["options"]), int(state["anchor"]))
        if _generated.cache_info().misses > known:
            gc.freeze()


def serve() -> None:
    _warm()
    shop.generate = _remembered  # type: ignore[attr-defined]
    launch.spawn = _fork_run
    daemon.FILES_SECONDS /= HURRY
    while line := sys.stdin.readline():
        asked = json.loads(line)
        if "folder" in asked:
            _know_shop(asked["folder"])
        child = asked.get("wait") or os.fork()
        if not child:
            _become(asked)
        if asked.get("leave"):
            print(child, flush=True)
            continue
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
    gc.unfreeze()  # what is still frozen as python ends is called leaked, on stderr
