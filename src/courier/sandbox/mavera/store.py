"""What the made-up account holds, in one SQLite file: it survives a kill in the middle of a request."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

import orjson

Node = dict[str, Any]
_TABLES = """
create table if not exists thing (
    number integer primary key autoincrement, kind text not null, id text not null unique, body blob not null);
create index if not exists thing_by_kind on thing (kind, number);
create table if not exists charge (
    number integer primary key autoincrement, at real not null, call text not null, thing text not null,
    credits integer not null);
create table if not exists received (
    number integer primary key autoincrement, at real not null, method text not null, path text not null,
    body blob not null, admitted integer not null default 0, status integer);
create index if not exists received_by_time on received (admitted, at);
create table if not exists kept (name text primary key, value blob not null);
"""


@dataclass(frozen=True)
class Received:
    """A request as it came, without its headers. status: of the answer, None where none was sent."""

    at: datetime
    method: str
    path: str  # with its query
    body: bytes
    status: int | None


@dataclass(frozen=True)
class Charge:
    """Credits taken. call: `POST /personas`; thing: the id of what was made."""

    at: datetime
    call: str
    thing: str
    credits: int


class Store:
    """One connection, for one thread at a time. Without a path everything is in memory.

    `transaction` commits all of a block or, when it raises, nothing. Other processes may have the same file open.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = RLock()
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its -wal and -shm the same mode
        self._database = sqlite3.connect(path or ":memory:", timeout=30, isolation_level=None, check_same_thread=False)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")  # in WAL: nothing committed is lost to a kill
        with self.transaction():
            for statement in _TABLES.split(";"):
                self._database.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            if self._database.in_transaction:
                yield
                return
            self._database.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def clear(self) -> None:
        """Forget everything. Ids start over too."""
        with self.transaction():
            for table in ("thing", "charge", "received", "kept"):
                self._rows(f"delete from {table}")
            self._rows("delete from sqlite_sequence")

    # Things: personas, threads, generations, ... `body` is JSON and has an `id`.

    def add(self, kind: str, body: Node) -> Node:
        self._rows("insert into thing (kind, id, body) values (?, ?, ?)", kind, body["id"], orjson.dumps(body))
        return body

    def get(self, kind: str, identity: str) -> Node | None:
        found = self._rows("select body from thing where kind = ? and id = ?", kind, identity)
        return orjson.loads(found[0][0]) if found else None

    def put(self, kind: str, body: Node) -> Node:
        self._rows("update thing set body = ? where kind = ? and id = ?", orjson.dumps(body), kind, body["id"])
        return body

    def remove(self, kind: str, identity: str) -> bool:
        with self.transaction():
            found = self.get(kind, identity) is not None
            self._rows("delete from thing where kind = ? and id = ?", kind, identity)
            return found

    def every(self, kind: str) -> list[Node]:
        """All of a kind, in the order in which they were made."""
        return [
            orjson.loads(body) for (body,) in self._rows("select body from thing where kind = ? order by number", kind)
        ]

    def numbered(self, kind: str, after: int = 0) -> list[tuple[int, Node]]:
        """All of a kind made after the one with that number, each with its number."""
        query = "select number, body from thing where kind = ? and number > ? order by number"
        return [(number, orjson.loads(body)) for number, body in self._rows(query, kind, after)]

    def new_id(self, prefix: str = "cl") -> str:
        """The next id: opaque, never given twice, the same ones in the same order for the same requests."""
        with self.transaction():
            number = int(self.kept("ids") or 0) + 1
            self.keep("ids", number)
        return prefix + sha256(f"mavera {number}".encode()).hexdigest()[:23]

    # Money and requests.

    def charge(self, at: datetime, call: str, thing: str, credits: int) -> None:
        query = "insert into charge (at, call, thing, credits) values (?, ?, ?, ?)"
        self._rows(query, at.timestamp(), call, thing, credits)

    def charges(self, since: datetime | None = None) -> list[Charge]:
        start = since.timestamp() if since else float("-inf")
        rows = self._rows("select at, call, thing, credits from charge where at >= ? order by number", start)
        return [Charge(datetime.fromtimestamp(at, UTC), *rest) for at, *rest in rows]

    def receive(self, at: datetime, method: str, path: str, body: bytes) -> int:
        """Keep a request before anything else is done about it; its number."""
        query = "insert into received (at, method, path, body) values (?, ?, ?, ?) returning number"
        return int(self._rows(query, at.timestamp(), method, path, body)[0][0])

    def admit(self, number: int) -> None:
        """It counts against the rate limit."""
        self._rows("update received set admitted = 1 where number = ?", number)

    def answered(self, number: int, status: int) -> None:
        self._rows("update received set status = ? where number = ?", status, number)

    def received(self) -> list[Received]:
        rows = self._rows("select at, method, path, body, status from received order by number")
        return [Received(datetime.fromtimestamp(at, UTC), *rest) for at, *rest in rows]

    def tally(self, since: datetime) -> tuple[int, int]:
        """How many requests came, and how many of them were answered with an error."""
        query = "select count(*), count(*) filter (where status >= 400) from received where at >= ?"
        found: tuple[int, int] = self._rows(query, since.timestamp())[0]
        return found

    def forget_received(self) -> None:
        self._rows("delete from received")

    def admitted(self, since: datetime, until: datetime) -> list[float]:
        """When the admitted requests of (since, until] came, in seconds, oldest first."""
        query = "select at from received where admitted = 1 and at > ? and at <= ? order by at"
        return [at for (at,) in self._rows(query, since.timestamp(), until.timestamp())]

    # Single values.

    def kept(self, name: str) -> Any:
        found = self._rows("select value from kept where name = ?", name)
        return orjson.loads(found[0][0]) if found else None

    def keep(self, name: str, value: object) -> None:
        query = "insert into kept values (?, ?) on conflict (name) do update set value = excluded.value"
        self._rows(query, name, orjson.dumps(value))
