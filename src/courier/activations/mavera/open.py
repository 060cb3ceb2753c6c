"""Opens the surface of Mavera that an activation names."""

from __future__ import annotations

import re
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
from courier.errors import ConfigurationError
from courier.http import Http, Notify

KEY = "api_key"
CONNECT_SECONDS = 10.0
AT_ONCE: Mapping[SurfaceName, int] = {"chat": 10, "focus_groups": 5}
"""What Mavera does for a key at the same time, as documented.

Everything else goes one by one: where credits run out, it is the last items that stay.
"""


def open_surface(
    activation: Activation, credential: Mapping[str, str], notify: Notify, *, enriched_by: Collection[str] = ()
) -> Surface:
    """The surface, as one key. Nothing is asked yet.

    credential: `api_key`. notify: hears of every wait before it begins. enriched_by: activations whose `enriches` is
    this one. Raises ConfigurationError for a key that cannot be one, and an endpoint that it may not be sent to.
    """
    body = activation.body
    client = _client(activation, _checked(credential[KEY], activation.path), notify)
    if isinstance(body, Persona):
        return Personas(client, Rules(activation.name, body.enriches, frozenset(enriched_by)))
    if isinstance(body, Response):
        return Responses(client, body)
    if isinstance(body, Chat):
        return Chats(client, body, activation.workspace)
    if isinstance(body, FocusGroup):
        return FocusGroups(client, body, activation.workspace)
    return Generations(client, body, activation.workspace)


def _checked(key: str, where: str) -> str:
    """The key without what surrounds it. What cannot be sent would end in an error that shows it."""
    key = key.strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise ConfigurationError("the API key holds letters that no key has", fix=f"set `credential` of {where} again")
    return key


def _client(activation: Activation, key: str, notify: Notify) -> Client:
    http = Http(
        activation.endpoint or ORIGIN,
        headers={"Authorization": f"Bearer {key}"},
        timeouts=(CONNECT_SECONDS, READ_SECONDS),
        notify=notify,
    )
    return Client(http, activation.path, notify, AT_ONCE.get(activation.surface, 1))
