"""Plans and applies one item after the other against the sandbox, and remembers what a journal remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from courier import clock
from courier.activations.contract import Item, Known, Outcome, Sent, Surface, Unclear, Wanted
from courier.activations.mavera.open import open_surface
from courier.activations.mavera.payloads import payload_of
from courier.config.activation import (
    Activation,
    Chat,
    FocusGroup,
    Generation,
    Persona,
    Response,
    SurfaceName,
)
from courier.sandbox.server import Sandbox

Body = Persona | Response | Chat | FocusGroup | Generation
SURFACES: Mapping[type, SurfaceName] = {
    Persona: "personas",
    Response: "responses",
    Chat: "chat",
    FocusGroup: "focus_groups",
    Generation: "generations",
}


@dataclass(frozen=True)
class Left:
    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Acting:
    """One activation. `known` by key, `owned` by remote id, `left`: what egress was told of."""

    activation: Activation
    surface: Surface
    known: dict[str, Known] = field(default_factory=dict)
    owned: dict[str, Known] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    told: list[tuple[float, str]] = field(default_factory=list)

    def wanted(self, key: str, evidence: Mapping[str, frozenset[str]] | None = None, **filled: Any) -> Wanted:
        shaped = payload_of(self.activation, filled)
        assert shaped.problems == ()
        return Wanted(key, filled.get("name", key), shaped.payload, evidence or {})

    def item(self, wanted: Wanted) -> Item:
        return self.surface.item(wanted, self.known.get(wanted.key), self.surface.look(), self.owned)

    def send(self, item: Item) -> Outcome:
        outcome = self.surface.send(item, lambda *request: self.left.append(Left(*request)))
        self.remember(item, outcome)
        return outcome

    def apply(self, wanted: Wanted) -> tuple[Item, Outcome | None]:
        item = self.item(wanted)
        return item, self.send(item) if item.action in ("create", "update") else None

    def remember(self, item: Item, outcome: Outcome) -> None:
        if isinstance(outcome, Sent):
            known = remembered(self.activation.name, item, outcome)
            self.known[item.key] = known
            if item.action == "create":
                self.owned[outcome.remote_id] = known
        elif isinstance(outcome, Unclear):
            self.known[item.key] = doubtful(self.activation.name, item)


def remembered(activation: str, item: Item, sent: Sent) -> Known:
    payload = orjson.loads(orjson.dumps(item.payload))
    state = "pending" if sent.pending else "done"
    at, more = clock.now(), (item.name, sent.thread, sent.ignored)
    return Known(activation, item.key, state, sent.remote_id, payload, "", at, *more)  # type: ignore[arg-type]


def doubtful(activation: str, item: Item) -> Known:
    return Known(activation, item.key, "unknown", item.remote_id, item.payload, "", clock.now(), item.name)


def acting(
    sandbox: Sandbox,
    body: Body,
    *,
    name: str = "mavera_test",
    key: str | None = None,
    workspace: str | None = None,
    enriched_by: tuple[str, ...] = (),
    endpoint: str | None = None,
) -> Acting:
    """An activation at the sandbox, with nothing applied yet."""
    activation = Activation(
        name=name,
        path=f"activations/{name}.yaml",
        sql_path=f"activations/{name}.sql",
        sql="select 1",
        destination="mavera",
        surface=SURFACES[type(body)],
        body=body,
        credential={},
        endpoint=endpoint or sandbox.url,
        workspace=workspace,
    )
    told: list[tuple[float, str]] = []
    credential = {"api_key": key or sandbox.credentials["MAVERA_API_KEY"]}
    surface = open_surface(
        activation, credential, lambda seconds, reason: told.append((seconds, reason)), enriched_by=enriched_by
    )
    return Acting(activation, surface, told=told)
