"""Rows become items: those with the same key are one, and its templates say what would be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from courier.activations.contract import Wanted
from courier.activations.filled import Filled, evidence, figures, filled
from courier.activations.scrub import scrubbed_payload
from courier.activations.templates import ItemFilling, Row, as_text
from courier.config.activation import Activation, Persona

ALL = "all"
"""The key of the one item of an activation without a key."""


@dataclass(frozen=True)
class Items:
    """What the rows want, in their order, and what keeps the plan from being made."""

    wanted: tuple[Wanted, ...]
    problems: tuple[str, ...] = ()


class Shaped(Protocol):
    """A payload of plain JSON values. Where there are problems, it is not to be sent."""

    @property
    def payload(self) -> Mapping[str, Any]: ...

    @property
    def problems(self) -> Sequence[str]: ...


def items_of(activation: Activation, rows: Sequence[Row], shape: Callable[[Filled], Shaped]) -> Items:
    """The items of guarded rows. `shape` makes the destination's payload of filled templates. Pure."""
    found: list[Wanted] = []
    problems: list[str] = []
    for key, group in _by_key(activation, rows).items():
        filling = ItemFilling.of(activation, group)
        texts = scrubbed_payload(filled(activation.body, filling))
        shaped = shape(texts)
        name = str(texts.get("name") or texts.get("title") or key)
        named, repeated = evidence(activation.body, filling), figures(activation.body, filling)
        found.append(Wanted(key, name, shaped.payload, named, repeated))
        problems += [f"{activation.path}: item {key}: {problem}" for problem in (*filling.problems, *shaped.problems)]
    return Items(tuple(found), (*problems, *_same_names(activation, found)))


def _by_key(activation: Activation, rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(ALL if activation.key is None else as_text(row[activation.key]), []).append(row)
    return groups


def _same_names(activation: Activation, found: Sequence[Wanted]) -> Iterator[str]:
    """Personas are found again by their exact names."""
    if not isinstance(activation.body, Persona):
        return
    names: dict[str, str] = {}
    for one in found:
        other = names.setdefault(one.name, one.key)
        if other != one.key:
            yield f"{activation.path}: items {other} and {one.key} have the same name; put {{{activation.key}}} into it"
