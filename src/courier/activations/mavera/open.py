"""Opens the surface of Mavera that an activation names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from courier.activations.contract import Surface
from courier.activations.mavera.chat import Chats
from courier.activations.mavera.client import ORIGIN, READ_SECONDS, Client
from courier.activations.mavera.focus_groups import FocusGroups
from courier.activations.mavera.generations import Generations
from courier.activations.mavera.persona_items import Rules
from courier.activations.mavera.personas import Personas
from courier.activations.mavera.responses import Responses
from courier.config.activation import Activation, Chat, FocusGroup, Persona, Response, SurfaceName
from courier.http import Http, Notify

KEY = "api_key"
CONNECT_SECONDS = 10.0
AT_ONCE: Mapping[SurfaceName, int] = {"personas": 1, "responses": 5, "chat": 10, "focus_groups": 5, "generations": 5}
"""What may be under way for a key: documented for chat and focus groups, ours for the others."""


def open_surface(
    activation: Activation, credential: Mapping[str, str], notify: Notify, *, enriched_by: Collection[str] = ()
) -> Surface:
    """The surface, as one key. Nothing is asked yet.

    credential: `api_key`. notify: hears of every wait before it begins. enriched_by: activations whose `enriches` is
    this one. Raises ConfigurationError for an endpoint that a key may not be sent to.
    """
    body = activation.body
    client = _client(activation, credential[KEY], notify)
    if isinstance(body, Persona):
        return Personas(client, Rules(activation.name, body.enriches, frozenset(enriched_by)))
    if isinstance(body, Response):
        return Responses(client, body)
    if isinstance(body, Chat):
        return Chats(client, body, activation.workspace)
    if isinstance(body, FocusGroup):
        return FocusGroups(client, body, activation.workspace)
    return Generations(client, body, activation.workspace)


def _client(activation: Activation, key: str, notify: Notify) -> Client:
    http = Http(
        activation.endpoint or ORIGIN,
        headers={"Authorization": f"Bearer {key}"},
        timeouts=(CONNECT_SECONDS, READ_SECONDS),
        notify=notify,
    )
    return Client(http, activation.path, notify, AT_ONCE[activation.surface])
