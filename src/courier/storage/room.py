"""A disk without room, whoever stumbles over it: Python, DuckDB, SQLite, or dlt and what it hides."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from courier.errors import NoRoom
from courier.storage import duck

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# https://www.sqlite.org/rescode.html: SQLITE_FULL, and what a quota or a limit shows as: SQLITE_IOERR_WRITE, _SHMSIZE.
_SQLITE = frozenset({13, 778, 4874})


def lacks_room(error: BaseException | None) -> bool:
    """Whether this error, or the one that it came of, says that a file could not be written for want of room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if getattr(error, "sqlite_errorcode", None) in _SQLITE:
            return True
        if duck.is_io(error) and any(os.strerror(number) in str(error) for number in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def no_room() -> NoRoom:
    return NoRoom(
        "the disk has no room left, or a quota is used up; what was committed is safe",
        fix="make room, and run again: it goes on where it stopped",
    )


@dataclass(frozen=True)
class TellingNoRoom:
    """`with TellingNoRoom():` every error for want of room is raised as NoRoom."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if lacks_room(error):
            raise no_room() from error
