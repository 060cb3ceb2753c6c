"""How the activations of a project stand, as the journal tells it: for `courier activate` and `courier status`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from courier.activations.journal import Journal
from courier.config.activation import Activation
from courier.config.project import Project
from courier.runtime.place import Place


def scope_of(activation: Activation) -> str:
    """The account that remote ids belong to, as far as the file tells."""
    return f"{activation.endpoint or ''} {activation.workspace or ''}"


def journal_of(place: Place, activation: Activation) -> Journal:
    return Journal(place.activations, scope_of(activation))


def activation_states(project: Project, place: Place) -> list[dict[str, Any]]:
    """One per file of activations/. `credits`: of the last run. `items`: state -> how many."""
    return [_state(place, activation) for activation in project.activations.values()]


def _state(place: Place, activation: Activation) -> dict[str, Any]:
    journal = journal_of(place, activation)
    last = next(iter(journal.runs(activation.name, limit=1)), None)
    states = Counter(one.state for one in journal.known(activation.name).values())
    return {
        "activation": activation.name,
        "surface": activation.surface,
        "apply": activation.apply,
        "last_run": last.run if last else None,
        "started": last.started if last else None,
        "result": last.result if last else "never run",
        "problem": last.problem if last else None,
        "credits": last.credits if last else None,
        "items": dict(sorted(states.items())),
    }
