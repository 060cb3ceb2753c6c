"""The journal of activations: what is about to be sent, what was sent, and what came of it.

An intent is on disk before its request leaves, and so is the request itself: whatever kills the process, the next one
knows what may have happened. The tables `courier.activation_*` and `courier.egress` show it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from courier import clock
from courier.activations.contract import Action, Item, Known, State
from courier.clock import rfc3339
from courier.storage.journal_store import Statements, Store


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
    """That of one place. Every call is its own transaction.

    scope: the account that remote ids belong to, a space, and the workspace. Another one knows nothing of them.
    """

    store: Store
    scope: str = ""

    def opened(self) -> AbstractContextManager[Statements]:
        """One transaction."""
        return self.store.opened()

    # What is known

    def known(self, activation: str) -> dict[str, Known]:
        """Key -> what was sent last."""
        rows = self._rows("SELECT * FROM known WHERE scope = ? AND activation = ?", self.scope, activation)
        return {row["key"]: _known(row) for row in rows}

    def owned(self) -> dict[str, Known]:
        """Remote id -> what this project made there, whichever of its activations did, naming whatever workspace."""
        query = (
            "SELECT * FROM known WHERE made = 1 AND remote_id IS NOT NULL"
            " AND substr(scope || ' ', 1, length(?)) = ? ORDER BY at"
        )
        account = self.scope.partition(" ")[0] + " "
        rows = self._rows(query, account, account)
        return {row["remote_id"]: _known(row) for row in rows}

    def spent_since(self, activation: str, since: datetime) -> int:
        query = "SELECT coalesce(sum(credits), 0) AS spent FROM outcome WHERE activation = ? AND at >= ?"
        return next((int(row["spent"]) for row in self._rows(query, activation, rfc3339(since))), 0)

    # A run, from its beginning to its end

    def begin(
        self, run: str, activation: str, plan_hash: str, credits: tuple[int, int], as_of: datetime | None,
        group_run: str | None,
    ) -> None:  # fmt: skip
        at = rfc3339(as_of) if as_of else None
        values = (run, activation, self.scope, group_run, plan_hash, at, *credits, _now(), "running")
        with self.opened() as connection:
            connection.execute(
                "INSERT INTO run (run, activation, scope, group_run, plan_hash, as_of, credits_low, credits_high,"
                " started, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
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
            (made,) = connection.execute(
                'INSERT INTO intent (run, scope, activation, "key", item, seen, at) VALUES (?, ?, ?, ?, ?, ?, ?)'
                " RETURNING id",
                values,
            )
        return Intent(made["id"], run, item, tuple(seen), at, False)

    def leaving(self, intent: Intent, activation: str, method: str, path: str, body: bytes) -> None:
        """A request, on disk before it is sent, with every byte of its body."""
        values = (intent.id, intent.run, activation, intent.item.key, _now(), method, path, body.decode("utf-8"))
        with self.opened() as connection:
            connection.execute(
                'INSERT INTO egress (intent, run, activation, "key", at, method, path, body)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )

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
                'INSERT INTO outcome (run, activation, "key", name, action, state, remote_id, credits, output,'
                " problems, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            " WHERE activation = coalesce(?, activation) AND (? IS NULL OR group_run = ?) ORDER BY rowid DESC LIMIT ?"
        )
        return [RunRow(**row) for row in self._rows(query, activation, group_run, group_run, limit)]

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

    def _before(self, connection: Statements, activation: str, item: Item, ended: Settled) -> int:
        """What was counted already of something that had begun there and goes on."""
        rows = connection.execute(
            'SELECT credits FROM known WHERE scope = ? AND activation = ? AND "key" = ?'
            " AND state = 'pending' AND remote_id = ?",
            (self.scope, activation, item.key, ended.remote_id),
        )
        return next((int(row["credits"]) for row in rows), 0)

    def _know(
        self, connection: Statements, run: str, activation: str, item: Item, ended: Settled, seen: Sequence[str]
    ) -> None:
        query = 'SELECT * FROM known WHERE scope = ? AND activation = ? AND "key" = ?'
        row = next(iter(connection.execute(query, (self.scope, activation, item.key))), None)
        if ended.state == "failed" and row is not None and row["state"] == "done":
            return  # what is there, is there all the same
        made = item.action == "create"
        if row is not None and row["remote_id"] == ended.remote_id:
            made = made or bool(row["made"])
        thread = ended.thread or (row["thread"] if row is not None else None)
        item_row = {"scope": self.scope, "activation": activation, "key": item.key, "name": item.name}
        sent = {"made": int(made), "payload": _text(item.payload), "payload_hash": hash_of(item.payload)}
        came = {"state": ended.state, "remote_id": ended.remote_id, "credits": ended.credits, "thread": thread}
        also = {"ignored": _text(list(ended.ignored)), "seen": _text(list(seen)), "run": run, "at": _now()}
        know(connection, {**item_row, **sent, **came, **also})

    def _rows(self, query: str, *values: Any) -> list[Mapping[str, Any]]:
        with self.store.reading() as connection:
            return [] if connection is None else connection.execute(query, values)


def know(connection: Statements, row: Mapping[str, Any]) -> None:
    """Write a whole row of `known`, in place of what was known of its item."""
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join("?" for _ in row)
    news = ", ".join(f'"{name}" = excluded."{name}"' for name in row)
    query = f'INSERT INTO known ({names}) VALUES ({places}) ON CONFLICT (scope, activation, "key") DO UPDATE SET {news}'
    connection.execute(query, list(row.values()))


def hash_of(payload: Mapping[str, Any]) -> str:
    """The same for the same payload, whatever its order."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _now() -> str:
    return rfc3339(clock.now())


def _close(connection: Statements, intent: Intent, how: str) -> None:
    connection.execute("UPDATE intent SET settled = ? WHERE id = ?", (how, intent.id))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known(row: Mapping[str, Any]) -> Known:
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


def _intent(row: Mapping[str, Any]) -> Intent:
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
