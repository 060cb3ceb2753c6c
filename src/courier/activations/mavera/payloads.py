"""Filled templates to payloads, whatever the surface. Pure."""

from __future__ import annotations

from courier.activations.mavera import chat, focus_groups, generations, persona_shape, responses
from courier.activations.mavera.shaped import Filled, Shaped
from courier.config.activation import Activation, Chat, FocusGroup, Persona, Response


def payload_of(activation: Activation, filled: Filled) -> Shaped:
    """What one item of the activation would send, and what is wrong with it. `filled`: see shaped.Filled."""
    body = activation.body
    if isinstance(body, Persona):
        return persona_shape.payload_of(body, filled)
    if isinstance(body, Response):
        return responses.payload_of(body, filled, activation.name)
    if isinstance(body, Chat):
        return chat.payload_of(body, filled)
    if isinstance(body, FocusGroup):
        return focus_groups.payload_of(body, filled)
    return generations.payload_of(body, filled)
