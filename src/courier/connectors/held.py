"""A small file that the processes of this machine share: whoever holds it reads it, changes it, and lets go."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Held:
    """What is in the file; empty where it is new. What it is set to is written when the file is let go."""

    content: bytes


@contextmanager
def held(path: Path) -> Iterator[Held]:
    """Wait for the file, made 0600 where there is none, and hold it for as long as the block takes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = Held(file.read())
        yield found
        file.seek(0)
        file.truncate()
        file.write(found.content)
        file.flush()
