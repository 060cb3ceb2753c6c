"""Large files read but once: what has been read of them leaves the page cache while the rest is still to come.

Nobody reads them again soon, so that to keep them there is in vain, and costly: every page comes from memory that is
fresh. Of six GB of raw lines that is 8 CPU seconds on a virtual machine; with the same pages used again and again it is
one. To read a file twice in this way still costs less than to keep it in between.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

_LOOK_SECONDS = 0.05
"""A segment of 64 MB is read in a third of a second or more."""
_OPEN_FILES = Path("/proc/self/fd")
"""Where Linux lists the files that this process has open."""


@contextmanager
def not_kept(files: Iterable[Path]) -> Iterator[None]:
    """While the block runs, each of the files leaves the page cache once this process has read and closed it."""
    wanted = {str(file) for file in files}
    if not wanted or not hasattr(os, "posix_fadvise"):
        yield
        return
    done = Event()
    watch = Thread(target=_watch, args=(wanted, done), name="courier-passing-by", daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()
        _drop(wanted)


def _watch(wanted: set[str], done: Event) -> None:
    before: set[str] = set()
    while not done.wait(_LOOK_SECONDS):
        now = _open() & wanted
        _drop(before - now)
        before = now


def _open() -> set[str]:
    found: set[str] = set()
    with suppress(FileNotFoundError):  # a system without /proc: the files leave at the end
        for entry in _OPEN_FILES.iterdir():
            with suppress(FileNotFoundError):
                found.add(str(entry.readlink()))
    return found


def _drop(files: Iterable[str]) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
