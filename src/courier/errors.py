"""Every exception that courier raises on purpose. Anything else is a bug and keeps its trace.

    CourierError                 1   something a person can act on
    ├── UsageError               2   the command line asks for something that cannot be
    ├── ConfigurationError       3   the project's files are wrong, before any request
    │   └── CredentialMissing    3   a ${NAME} that is not set anywhere
    ├── Refused                  4   a guard said no
    │   └── ForeignData          4   another shop than the one this schema belongs to
    └── RunFailed                1   the work started and could not be finished; nothing was committed
        ├── SourceUnreachable    1   connection, timeout, 5xx, no slot: a later try may work
        │   ├── SourceOverloaded 1   it answers, but not what we ask, or not in time: asking for less may work
        │   └── SourceBusy       1   others have taken what we need, as every slot for bulk operations: waiting may work
        ├── SourceRefused        1   401, 402, 403, 404, 423, 430 and the like: a person must act
        ├── Incomplete           1   counts do not agree: the run cannot prove that it has everything
        │   └── EndedBadly       1   the source gave up what it was preparing, every time: another way may work
        ├── ErrorLimitExceeded   1   too many records in error
        ├── NoRoom               1   the disk is full: once there is room, the run goes on where it stopped
        ├── WarehouseUnreachable 1   Postgres does not answer, or the connection to it was lost
        │   └── CommitUnknown    1   it was lost at the commit itself: nobody can tell yet whether that took effect
        └── Locked               1   another run of the same courier is under way

A message says what failed and what state things are in; `fix` says what to type or change next. Neither ever holds a
secret or a customer's value.
"""

from __future__ import annotations


class CourierError(Exception):
    """Base of everything below. `exit_code` is what the command ends with."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(CourierError):
    exit_code = 2


class ConfigurationError(CourierError):
    exit_code = 3


class CredentialMissing(ConfigurationError):
    pass


class Refused(CourierError):
    exit_code = 4


class ForeignData(Refused):
    pass


class RunFailed(CourierError):
    pass


class SourceUnreachable(RunFailed):
    pass


class SourceOverloaded(SourceUnreachable):
    pass


class SourceBusy(SourceUnreachable):
    pass


class SourceRefused(RunFailed):
    pass


class Incomplete(RunFailed):
    pass


class EndedBadly(Incomplete):
    pass


class ErrorLimitExceeded(RunFailed):
    pass


class NoRoom(RunFailed):
    pass


class WarehouseUnreachable(RunFailed):
    pass


class CommitUnknown(WarehouseUnreachable):
    pass


class Locked(RunFailed):
    pass
