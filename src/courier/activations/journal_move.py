"""A journal that was begun in a file goes on in Postgres: what it knows, had intended and has sent, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.activations.journal import know
from courier.activations.tables import name_of_journal
from courier.storage.journal_store import Statements, Store


def activations_in(store: Store) -> list[str]:
    """Whoever has ever been applied, or had something known."""
    query = "SELECT activation FROM run UNION SELECT activation FROM known"
    with store.reading() as journal:
        return [] if journal is None else [row["activation"] for row in journal.execute(query)]


def take_over(source: Store, target: Store) -> None:
    """Write all of a journal that nobody else writes into another one, or nothing; a second time, nothing.

    Of an item that both know, what was known later stays.
    """
    with source.opened() as old:  # its name is on disk before anything is known by it
        mark = f"taken over {name_of_journal(old)}"
    with source.opened() as old, target.opened() as new:
        if new.execute("SELECT 1 FROM kept WHERE name = ?", [mark]):
            return
        new.execute("INSERT INTO kept VALUES (?, ?)", [mark, ""])
        for row in old.execute("SELECT * FROM run ORDER BY rowid"):
            _insert(new, "run", row)
        for row in old.execute("SELECT * FROM known ORDER BY at"):
            if not _knows_later(new, row):
                know(new, row)
        intents = {row["id"]: _insert(new, "intent", row) for row in old.execute("SELECT * FROM intent ORDER BY id")}
        for row in old.execute("SELECT * FROM egress ORDER BY id"):
            _insert(new, "egress", {**row, "intent": intents[row["intent"]]})
        for row in old.execute("SELECT * FROM outcome ORDER BY id"):
            _insert(new, "outcome", row)


def _insert(journal: Statements, table: str, row: Mapping[str, Any]) -> int:
    """Write a row under a number of the journal's own. Returns it."""
    values = {name: value for name, value in row.items() if name != "id"}
    names, places = ", ".join(f'"{name}"' for name in values), ", ".join("?" for _ in values)
    number = "rowid" if table == "run" else "id"
    query = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {number} AS number"
    (made,) = journal.execute(query, list(values.values()))
    return int(made["number"])


def _knows_later(journal: Statements, row: Mapping[str, Any]) -> bool:
    query = 'SELECT 1 FROM known WHERE scope = ? AND activation = ? AND "key" = ? AND at > ?'
    return bool(journal.execute(query, [row["scope"], row["activation"], row["key"], row["at"]]))
