"""The section of a surface with its templates filled, by the names that the YAML gives them: what payloads are made of.

A field whose template is nothing but one {column} is left out where that is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from courier.activations.contract import Figures
from courier.activations.templates import ItemFilling, as_text, plain
from courier.config.activation import Chat, Each, FocusGroup, Generation, Persona, Response

Filled = Mapping[str, Any]


def filled(body: Persona | Response | Chat | FocusGroup | Generation, filling: ItemFilling) -> Filled:
    """Plain JSON values. What could not be filled is in `filling.problems`."""
    if isinstance(body, Persona):
        return _persona(body, filling)
    if isinstance(body, Response):
        return _present(
            input=filling.prompt(body.input),
            instructions=None if body.instructions is None else filling.prompt(body.instructions),
            persona=None if body.persona is None else filling.text(body.persona),
        )
    if isinstance(body, Chat):
        return _present(message=filling.prompt(body.message))
    return _focus_group(body, filling) if isinstance(body, FocusGroup) else _generation(body, filling)


def _persona(body: Persona, filling: ItemFilling) -> Filled:
    fields = {
        name: list(filling.each(one)) if isinstance(one, Each) else filling.value(one)
        for name, one in body.fields.items()
    }
    return _present(
        name=filling.text(body.name),
        description=filling.text(body.description),
        fields=_present(**fields),
        attributes=_attributes(body, filling) or None,
    )


def _attributes(body: Persona, filling: ItemFilling) -> list[dict[str, Any]]:
    return [{name: plain(row.get(column)) for name, column in body.attributes.items()} for row in filling.rows
            if body.attributes]  # fmt: skip


def _focus_group(body: FocusGroup, filling: ItemFilling) -> Filled:
    questions = [{"text": filling.prompt(one.text), "options": list(one.options)} for one in body.questions]
    return _present(name=filling.text(body.name), questions=questions)


def _generation(body: Generation, filling: ItemFilling) -> Filled:
    inputs = {name: filling.prompt_value(text) for name, text in body.input.items()}
    persona = None if body.persona is None else filling.text(body.persona)
    return _present(title=filling.text(body.title), input=_present(**inputs), persona=persona)


def _present(**named: Any) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


def evidence(
    body: Persona | Response | Chat | FocusGroup | Generation, filling: ItemFilling
) -> dict[str, frozenset[str]]:
    """Path in the answer -> what it may name: every value of the column that was sent."""
    named = body.contract.evidence if isinstance(body, Response | Chat) else {}
    return {path: frozenset(_values(filling, column)) for path, column in named.items()}


def figures(body: Persona | Response | Chat | FocusGroup | Generation, filling: ItemFilling) -> Figures:
    """Path of a list in the answer -> what its elements repeat, by row, as it was sent."""
    named = body.contract.rows if isinstance(body, Response | Chat) else {}
    return {
        path: tuple({column: plain(row.get(column)) for column in columns} for row in filling.rows)
        for path, columns in named.items()
    }


def _values(filling: ItemFilling, column: str) -> list[str]:
    found = [row.get(column) for row in filling.rows]
    flat = [item for value in found for item in (value if isinstance(value, list | tuple) else [value])]
    return [as_text(item) for item in flat if item is not None]
