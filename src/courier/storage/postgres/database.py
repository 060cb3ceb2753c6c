"""A warehouse in Postgres: its sessions, and the lock that a courier's run holds by the very session that commits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from courier import clock
from courier.errors import Locked
from courier.storage.postgres.session import Session, connect

_POLL_SECONDS = 1.0


def lock_of(courier: str) -> str:
    """The name of a courier's lock."""
    return f"courier {courier}"


@dataclass(frozen=True)
class Postgres:
    """A database. `shown` names it to people, without the password. That of the sandbox is made where it is missing.

    held: the session that holds a lock; everything then goes through it. So whoever has lost the lock, because its
    connection is gone, has lost the means to commit as well.
    """

    url: str = field(repr=False)
    shown: str
    sandbox: bool = False
    held: Session | None = field(default=None, repr=False, compare=False)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The session that holds the lock, or one of its own. Raises WarehouseUnreachable."""
        if self.held is not None:
            yield self.held
            return
        with closing(self._connected()) as session:
            yield session

    @contextmanager
    def locked(self, what: str, *, wait: bool = True, most_seconds: float = math.inf) -> Iterator[Postgres]:
        """Hold the lock of `what` against every session of every host. Yields the database to go on with.

        Raises Locked where another session has it and `wait` is false, or still has it after so many seconds; and
        WarehouseUnreachable.
        """
        with closing(self._connected()) as session:
            waited = 0.0
            while not session.tries_lock(what):
                if not wait or waited >= most_seconds:
                    raise Locked(
                        f"{what} is running in another process or on another host",
                        fix="wait for it (leave out --no-wait), or look at it with `courier status`",
                    )
                clock.sleep(_POLL_SECONDS)
                waited += _POLL_SECONDS
            yield replace(self, held=session)

    def _connected(self) -> Session:
        return connect(self.url, self.shown, made_if_missing=self.sandbox)

    def is_locked(self, what: str) -> bool:
        """Whether a session holds the lock."""
        with self.session() as session:
            return session.sees_lock(what)
