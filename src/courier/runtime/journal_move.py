"""A project that moves to Postgres takes its journal of activations along: the personas of before stay its own."""

from __future__ import annotations

from courier.activations.journal_move import activations_in, take_over
from courier.runtime.place import Place, activation_locks_here
from courier.storage.journal_store import DatabaseStore, FileStore

MOVED = "activations.moved.db"


def move_journal(place: Place, *, wait: bool) -> tuple[str, ...]:
    """Take the file's journal over into the database, and set the file aside. Returns what to tell, if there was one.

    Waits for applies that still write the file. A kill before the end leaves the file, whose entries are not taken
    twice. Raises Locked, if `wait` is false and one applies, and WarehouseUnreachable.
    """
    file = FileStore(place.activations)
    if place.database is None or not file.path.exists():
        return ()
    with activation_locks_here(place, activations_in(file), wait=wait):
        if not file.path.exists():  # another process was first
            return ()
        take_over(file, DatabaseStore(place.database))
        file.path.rename(file.path.with_name(MOVED))
    where = f"Postgres at {place.database.shown}"
    return (f"the journal of activations, {file.path.name}, was taken over into {where}; the file is now {MOVED}",)
