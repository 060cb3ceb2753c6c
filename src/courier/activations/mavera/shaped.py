"""What a body of YAML and its filled templates become: the request that Mavera documents, or what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from typing import Any

import orjson

from courier import clock

Filled = Mapping[str, Any]
"""Templates by the names that the section of the YAML gives them, each filled; a null left it out. Personas: name,
description, fields {field: value}, attributes [{key, value, sample}]. Responses: input, instructions, persona. Chat:
message. Focus groups: name, questions [{text, options}], personas. Generations: title, input {field: value}, persona.
What is not given is taken from the body as it stands."""


@dataclass(frozen=True)
class Shaped:
    """A payload of plain JSON values. Where there are problems, it is not to be sent."""

    payload: Mapping[str, Any]
    problems: tuple[str, ...] = ()


def plain(value: Any) -> Any:
    """A value of a row as JSON has it: decimals as numbers, times as RFC 3339, tuples as lists. What is no number is
    nothing, and an integer beyond 64 bits is a float."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _number(value: int | float | Decimal) -> int | float | None:
    if not isfinite(value):
        return None
    if isinstance(value, float) or value != int(value):
        return float(value)
    return int(value) if -(2**63) <= value < 2**64 else float(value)


def as_text(value: Any) -> Any:
    """A number or time as text; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, date)):
        return value
    return str(plain(value))


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON; a journal that has been through JSON equals what it was made from."""
    return canonical(one) == canonical(other)


def canonical(value: Any) -> bytes:
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)


def digest(value: Any) -> str:
    """SHA-256 of a value as JSON, in hexadecimal."""
    return sha256(canonical(value)).hexdigest()


def flat(payload: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Fields by dotted names, for people: `demographic.custom_attributes.nps.most_common`. A JSON Schema is one."""
    found: dict[str, Any] = {}
    for name, value in payload.items():
        inner = value if isinstance(value, Mapping) and value and name != "schema" else None
        found |= flat(inner, f"{above}{name}.") if inner is not None else {f"{above}{name}": value}
    return found


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The dotted fields that differ, as they are and as they shall be; None where one side has none."""
    old, new = flat(before), flat(after)
    names = [name for name in {**new, **old} if not same(old.get(name), new.get(name))]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}
