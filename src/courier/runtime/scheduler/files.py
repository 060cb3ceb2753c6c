"""The project's files as the scheduler follows them: a cheap stamp, and a reading in a process of its own.

Reading 10,000 groups takes 100 MB and DuckDB, which judges expressions: a process that ends gives both back.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from courier.config.problems import Problem
from courier.config.project import CourierGroup
from courier.runtime.known_good import FILES, FOLDERS


@dataclass(frozen=True)
class Found:
    """What the files say. `groups` is None where a problem is more than a warning.

    configs: group -> what its runs of the history have as `config`
    """

    groups: Mapping[str, CourierGroup] | None
    problems: tuple[Problem, ...] = ()
    configs: Mapping[str, str] | None = None


Read = Callable[[Path], Found]
Stamp = tuple[tuple[str, int, int, int], ...]


def quick_stamp(root: Path, *more: str) -> Stamp:
    """Changes with the names, sizes and times of the project's files, and of `more`, without reading them."""
    return tuple(seen for name in (*FILES, *FOLDERS, *more) for seen in _below(root / name))


def _below(path: Path) -> Iterator[tuple[str, int, int, int]]:
    try:
        status = path.stat()
    except OSError:
        return
    yield str(path), status.st_size, status.st_mtime_ns, status.st_ino
    if path.is_dir():
        for entry in sorted(os.listdir(path)):  # noqa: PTH208 - a tenth of the time of iterdir
            yield from _below(path / entry)


def read_apart(read: Read, root: Path) -> Found:
    """What `read` finds, read by a process of its own. Raises RuntimeError, its trace on stderr, if that one fails."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.closerange(3, sending)  # the scheduler's lock among them, which is not to outlive it here
        os.closerange(sending + 1, 1024)
        _be_the_reader(read, root, os.fdopen(sending, "wb"))
    os.close(sending)
    with os.fdopen(receiving, "rb") as file:
        body = file.read()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError(f"the project's files could not be read: {os.waitstatus_to_exitcode(status)}")
    found: Found = pickle.loads(body)
    return found


def _be_the_reader(read: Read, root: Path, out: BinaryIO) -> None:
    code = 1
    try:
        gc.disable()  # a third of the time, for a process that ends at once
        with out:
            pickle.dump(read(root), out, 5)
        code = 0
    except BrokenPipeError:  # the scheduler was killed: nobody wants to know
        pass
    except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)
