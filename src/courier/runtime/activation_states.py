"""How activations stand, as the journal tells it: for commands that answer at once, without the project's files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from courier.activations.journal import Journal
from courier.config.activation import Activation
from courier.runtime.place import Place
from courier.storage.journal_store import DatabaseStore, FileStore


def scope_of(activation: Activation) -> str:
    """The account that remote ids belong to, as far as the file tells: endpoint, a space, workspace."""
    return f"{activation.endpoint or ''} {activation.workspace or ''}"


def journal_of(place: Place, activation: Activation) -> Journal:
    return replace(whole_journal(place), scope=scope_of(activation))


def whole_journal(place: Place) -> Journal:
    """The journal where the rows are, whatever the account."""
    return Journal(FileStore(place.activations) if place.database is None else DatabaseStore(place.database))


def activation_states(place: Place, names: Iterable[str]) -> list[dict[str, Any]]:
    """One per activation. `credits`: of the last apply. `items`: state -> how many."""
    return [_state(whole_journal(place), name) for name in names]


def _state(journal: Journal, name: str) -> dict[str, Any]:
    last = next(iter(journal.runs(name, limit=1)), None)
    return {
        "activation": name,
        "last_run": last.run if last else None,
        "started": last.started if last else None,
        "result": last.result if last else "never applied",
        "problem": last.problem if last else None,
        "credits": last.credits if last else None,
        "items": journal.states(name),
    }
