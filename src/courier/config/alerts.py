"""Alerts: alerts.yaml, which a project may do without, becomes Alerts, or problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from courier.config.documents import Document, reference
from courier.config.masking import masked
from courier.config.models import AlertsModel
from courier.config.problems import Problem
from courier.config.project import AlertRule, Alerts, SecretRef
from courier.config.suggestions import did_you_mean
from courier.config.tables import NAME, NAME_FIX
from courier.config.yaml_nodes import Items, walk


def check_alerts(document: Document, model: AlertsModel, groups: Collection[str]) -> Iterator[Problem]:
    """Everything that can be wrong with alerts whose file has the right structure. `groups`: those of the project."""
    for name in model.targets:
        if not NAME.fullmatch(name):
            message = f"`{_shown(name)}` is no name"
            yield document.problem(document.key(("targets", name)), "bad-name", message, NAME_FIX)
    yield from _empty_lists(document)
    # A target whose own mistake left it out of the model is in the file all the same.
    targets: Collection[str] = document.data["targets"]
    for position, alert in enumerate(model.alerts):
        yield from _unknown(document, position, "to", alert.to, targets, "target")
        yield from _unknown(document, position, "groups", alert.groups or (), groups, "group")


def _empty_lists(document: Document) -> Iterator[Problem]:
    """An empty list would be everything or nothing, and nobody could tell which."""
    for path, _, node in walk(document.root) if document.root else ():
        if isinstance(node, Items) and not node.items:
            yield document.problem(document.value(path), "bad-value", "this is empty", "Name at least one.")


def _unknown(
    document: Document, position: int, key: str, names: tuple[str, ...], known: Collection[str], noun: str
) -> Iterator[Problem]:
    for item, name in enumerate(names):
        if name not in known:
            at = document.value(("alerts", position, key, item))
            message = f"there is no {noun} `{_shown(name)}`"
            yield document.problem(at, f"unknown-{noun}", message, did_you_mean(name, map(_shown, known)))


def _shown(name: str) -> str:
    """A URL that stands where a name belongs is a secret."""
    return masked(name, keys=False, urls=True)


def resolve_alerts(document: Document, model: AlertsModel) -> Alerts:
    """The alerts, of a file without problems. Without `alerts:` every target is told of everything."""
    targets = {
        name: SecretRef(reference(value) or "", document.path, document.value(("targets", name)).line)
        for name, value in model.targets.items()
    }
    rules = tuple(AlertRule(alert.to, alert.on or (), alert.groups or ()) for alert in model.alerts)
    return Alerts(targets, rules or (AlertRule(tuple(targets)),))
