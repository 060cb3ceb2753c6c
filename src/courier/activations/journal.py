"""The journal of activations: what is about to be sent, what was sent, and what came of it. SQLite, synced on commit.

An intent is on disk before its request leaves, and so is the request itself: whatever kills the process, the next one
knows what may have happened. The tables `courier.activation_*` and `courier.egress` are copies of it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from courier import clock
from courier.activations.contract import Action, Item, Known, State
from courier.clock import rfc3339
from courier.storage.sqlite_file import SqliteFile

_STEPS = (
    """
CREATE TABLE run (
    run TEXT PRIMARY KEY, activation TEXT NOT NULL, scope TEXT NOT NULL, group_run TEXT, plan_hash TEXT NOT NULL,
    as_of TEXT, credits_low INTEGER NOT NULL, credits_high INTEGER NOT NULL, started TEXT NOT NULL, ended TEXT,
    result TEXT NOT NULL, problem TEXT
);
CREATE INDEX run_activation ON run (activation, started);
CREATE TABLE known (
    scope TEXT NOT NULL, activation TEXT NOT NULL, "key" TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    remote_id TEXT, made INTEGER NOT NULL, payload TEXT NOT NULL, payload_hash TEXT NOT NULL, thread TEXT,
    ignored TEXT NOT NULL, seen TEXT NOT NULL, credits INTEGER NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (scope, activation, "key")
);
CREATE TABLE intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, scope TEXT NOT NULL, activation TEXT NOT NULL,
    "key" TEXT NOT NULL, item TEXT NOT NULL, seen TEXT NOT NULL, at TEXT NOT NULL, settled TEXT
);
CREATE INDEX intent_open ON intent (activation) WHERE settled IS NULL;
CREATE TABLE egress (
    id INTEGER PRIMARY KEY AUTOINCREMENT, intent INTEGER NOT NULL, run TEXT NOT NULL, activation TEXT NOT NULL,
    "key" TEXT NOT NULL, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX egress_intent ON egress (intent);
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, activation TEXT NOT NULL, "key" TEXT NOT NULL,
    name TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL, remote_id TEXT, credits INTEGER NOT NULL,
    output TEXT, problems TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX outcome_run ON outcome (run);
CREATE INDEX outcome_spent ON outcome (activation, at);
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)
""",
)


@dataclass(frozen=True)
class Intent:
    """Something that was about to be sent. `sent`: a request of it has left, or was just about to."""

    id: int
    run: str
    item: Item
    seen: tuple[str, ...]
    at: datetime
    sent: bool


@dataclass(frozen=True)
class Settled:
    """What came of an item in a run: as it will be known, and what it cost. `output` goes to the table of results."""

    state: State
    remote_id: str | None
    credits: int = 0
    output: Any = None
    thread: str | None = None
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRow:
    """One apply of an activation. `result` is running until it ends."""

    run: str
    activation: str
    group_run: str | None
    plan_hash: str
    as_of: str | None
    credits_low: int
    credits_high: int
    started: str
    ended: str | None
    result: str
    problem: str | None
    credits: int


@dataclass(frozen=True)
class Outcome:
    """One line of an apply, as the journal keeps it."""

    key: str
    name: str
    action: str
    state: str
    remote_id: str | None
    credits: int
    problems: list[str]
    at: str


@dataclass(frozen=True)
class Journal:
    """activations.db of one place. Every call is its own transaction.

    scope: the account that remote ids belong to, a space, and the workspace. Another one knows nothing of them.
    """

    path: Path
    scope: str = ""

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        with SqliteFile(self.path, _STEPS).opened() as connection:
            connection.row_factory = sqlite3.Row
            yield connection

    # What is known

    def known(self, activation: str) -> dict[str, Known]:
        """Key -> what was sent last."""
        rows = self._rows("SELECT * FROM known WHERE scope = ? AND activation = ?", self.scope, activation)
        return {row["key"]: _known(row) for row in rows}

    def owned(self) -> dict[str, Known]:
        """Remote id -> what this project made there, whichever of its activations did, naming whatever workspace."""
        query = (
            "SELECT * FROM known WHERE made AND remote_id IS NOT NULL"
            " AND substr(scope || ' ', 1, instr(scope || ' ', ' ')) = ? ORDER BY at"
        )
        rows = self._rows(query, self.scope.partition(" ")[0] + " ")
        return {row["remote_id"]: _known(row) for row in rows}

    def spent_since(self, activation: str, since: datetime) -> int:
        query = "SELECT coalesce(sum(credits), 0) AS spent FROM outcome WHERE activation = ? AND at >= ?"
        return next((int(row["spent"]) for row in self._rows(query, activation, rfc3339(since))), 0)

    # A run, from its beginning to its end

    def begin(
        self, run: str, activation: str, plan_hash: str, credits: tuple[int, int], as_of: datetime | None,
        group_run: str | None,
    ) -> None:  # fmt: skip
        with self.opened() as connection:
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 'running', NULL)",
                (
                    run,
                    activation,
                    self.scope,
                    group_run,
                    plan_hash,
                    rfc3339(as_of) if as_of else None,
                    *credits,
                    _now(),
                ),
            )

    def end(self, run: str, result: str, problem: str = "") -> None:
        with self.opened() as connection:
            values = (_now(), result, problem or None, run)
            connection.execute("UPDATE run SET ended = ?, result = ?, problem = ? WHERE run = ?", values)

    def end_killed(self, activation: str) -> None:
        """Runs whose process died. Whoever holds the activation's lock knows that none of them lives."""
        with self.opened() as connection:
            connection.execute(
                "UPDATE run SET ended = ?, result = 'killed', problem = 'its process was killed'"
                " WHERE activation = ? AND ended IS NULL",
                (_now(), activation),
            )

    def intend(self, run: str, activation: str, item: Item, seen: Sequence[str]) -> Intent:
        """On disk before anything is sent."""
        at = clock.now()
        values = (run, self.scope, activation, item.key, _item_text(item), _text(list(seen)), rfc3339(at))
        with self.opened() as connection:
            cursor = connection.execute("INSERT INTO intent VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, NULL)", values)
            return Intent(cursor.lastrowid or 0, run, item, tuple(seen), at, False)

    def leaving(self, intent: Intent, activation: str, method: str, path: str, body: bytes) -> None:
        """A request, on disk before it is sent, with every byte of its body."""
        values = (intent.id, intent.run, activation, intent.item.key, _now(), method, path, body.decode("utf-8"))
        with self.opened() as connection:
            connection.execute("INSERT INTO egress VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def settle(self, intent: Intent | None, run: str, activation: str, item: Item, ended: Settled) -> int:
        """What came of it, all at once: the intent is closed, the item known, credits and output kept.

        Returns the credits that this adds to what the item had cost before.
        """
        with self.opened() as connection:
            added = ended.credits - self._before(connection, activation, item, ended)
            seen = intent.seen if intent else ()
            self._know(connection, run, activation, item, ended, seen)
            output = None if ended.output is None else _text(ended.output)
            values = (run, activation, item.key, item.name, item.action, ended.state, ended.remote_id, added, output)
            connection.execute(
                "INSERT INTO outcome VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, _text(list(ended.problems)), _now()),
            )
            if intent is not None:
                _close(connection, intent, ended.state)
            return added

    def forget(self, intent: Intent, why: str) -> None:
        """Nothing came of it and nothing is there: as if it had never been."""
        with self.opened() as connection:
            _close(connection, intent, why)

    def doubt(self, intent: Intent, activation: str) -> None:
        """Nobody knows what the remote side has of an item after an update without an answer: it is sent once more."""
        with self.opened() as connection:
            connection.execute(
                "UPDATE known SET payload = '{}', payload_hash = ''"
                ' WHERE scope = ? AND activation = ? AND "key" = ? AND remote_id = ?',
                (self.scope, activation, intent.item.key, intent.item.remote_id),
            )
            _close(connection, intent, "doubted")

    def open_intents(self, activation: str) -> list[Intent]:
        """What a killed process left open, in order."""
        query = (
            "SELECT *, EXISTS (SELECT 1 FROM egress WHERE egress.intent = intent.id) AS sent FROM intent"
            " WHERE scope = ? AND activation = ? AND settled IS NULL ORDER BY id"
        )
        return [_intent(row) for row in self._rows(query, self.scope, activation)]

    # For people and tables

    def runs(self, activation: str | None = None, group_run: str | None = None, limit: int = 100_000) -> list[RunRow]:
        """The latest applies, newest first."""
        query = (
            "SELECT run, activation, group_run, plan_hash, as_of, credits_low, credits_high, started, ended, result,"
            " problem, (SELECT coalesce(sum(credits), 0) FROM outcome WHERE outcome.run = run.run) AS credits FROM run"
            " WHERE (?1 IS NULL OR activation = ?1) AND (?2 IS NULL OR group_run = ?2) ORDER BY rowid DESC LIMIT ?3"
        )
        return [RunRow(**row) for row in self._rows(query, activation, group_run, limit)]

    def find(self, run: str) -> RunRow | None:
        return next((one for one in self.runs() if one.run == run), None)

    def outcomes(self, run: str) -> list[Outcome]:
        """What came of the items of an apply, in order."""
        query = (
            'SELECT "key", name, action, state, remote_id, credits, problems, at FROM outcome WHERE run = ? ORDER BY id'
        )
        return [Outcome(**{**row, "problems": json.loads(row["problems"])}) for row in self._rows(query, run)]

    def states(self, activation: str) -> dict[str, int]:
        """State -> items, whatever the account."""
        query = "SELECT state, count(*) AS count FROM known WHERE activation = ? GROUP BY state ORDER BY state"
        return {row["state"]: row["count"] for row in self._rows(query, activation)}

    def _before(self, connection: sqlite3.Connection, activation: str, item: Item, ended: Settled) -> int:
        """What was counted already of something that had begun there and goes on."""
        row = connection.execute(
            'SELECT credits FROM known WHERE scope = ? AND activation = ? AND "key" = ?'
            " AND state = 'pending' AND remote_id = ?",
            (self.scope, activation, item.key, ended.remote_id),
        ).fetchone()
        return int(row["credits"]) if row else 0

    def _know(
        self, connection: sqlite3.Connection, run: str, activation: str, item: Item, ended: Settled, seen: Sequence[str]
    ) -> None:
        row = connection.execute(
            'SELECT * FROM known WHERE scope = ? AND activation = ? AND "key" = ?', (self.scope, activation, item.key)
        ).fetchone()
        if ended.state == "failed" and row is not None and row["state"] == "done":
            return  # what is there, is there all the same
        same = row is not None and row["remote_id"] == ended.remote_id
        made = item.action == "create" or (same and bool(row["made"]))
        text = _text(item.payload)
        values = (self.scope, activation, item.key, item.name, ended.state, ended.remote_id, made, text)
        thread = ended.thread or (row["thread"] if row is not None else None)
        also = (hash_of(item.payload), thread, _text(list(ended.ignored)), _text(list(seen)), ended.credits)
        places = ", ".join("?" for _ in (*values, *also, run, ""))
        connection.execute(f"INSERT OR REPLACE INTO known VALUES ({places})", (*values, *also, run, _now()))

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        if not self.path.exists():
            return []
        with self.opened() as connection:
            found: list[sqlite3.Row] = connection.execute(query, values).fetchall()
        return found


def hash_of(payload: Mapping[str, Any]) -> str:
    """The same for the same payload, whatever its order."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return rfc3339(clock.now())


def _close(connection: sqlite3.Connection, intent: Intent, how: str) -> None:
    connection.execute("UPDATE intent SET settled = ? WHERE id = ?", (how, intent.id))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known(row: sqlite3.Row) -> Known:
    state: State = row["state"]
    return Known(
        activation=row["activation"],
        key=row["key"],
        state=state,
        remote_id=row["remote_id"],
        payload=json.loads(row["payload"]),
        payload_hash=row["payload_hash"],
        at=datetime.fromisoformat(row["at"]),
        name=row["name"],
        thread=row["thread"],
        ignored=tuple(json.loads(row["ignored"])),
        seen=tuple(json.loads(row["seen"])),
    )


def _item_text(item: Item) -> str:
    evidence = {path: sorted(values) for path, values in item.evidence.items()}
    names = ("key", "name", "action", "reason", "payload", "remote_id", "after", "credits")
    return _text({**{name: getattr(item, name) for name in names}, "evidence": evidence})


def _intent(row: sqlite3.Row) -> Intent:
    stored = json.loads(row["item"])
    action: Action = stored["action"]
    low, high = stored["credits"]
    item = Item(
        key=stored["key"],
        name=stored["name"],
        action=action,
        reason=stored["reason"],
        payload=stored["payload"],
        after=stored["after"],
        credits=(low, high),
        remote_id=stored["remote_id"],
        evidence={path: frozenset(values) for path, values in stored["evidence"].items()},
    )
    at = datetime.fromisoformat(row["at"])
    return Intent(row["id"], row["run"], item, tuple(json.loads(row["seen"])), at, bool(row["sent"]))
