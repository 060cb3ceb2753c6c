"""The grammar of `filter`: equals(name,"x"), any(id,["a","b"]), joined by commas or and(...); and what it means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from courier.sandbox.klaviyo.operations import Operation
from courier.sandbox.klaviyo.refusals import invalid

_CALL = re.compile(r"([a-z-]+)\(")
_NAME = re.compile(r"[A-Za-z_$][\w.$]*")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')


@dataclass(frozen=True)
class Condition:
    """`equals(name,value)`: instants are seconds since 1970."""

    way: str
    name: str
    value: Any


def conditions(text: str, operation: Operation) -> tuple[Condition, ...]:
    """Every condition must hold. Raises Refused (400)."""
    found = _Reader(text).read() if text else ()
    for one in found:
        ways = operation.filters.get(one.name)
        if ways is None:
            raise invalid("filter", f"'{one.name}' is not a filterable field for this resource.")
        if one.way not in ways:
            raise invalid("filter", f"'{one.way}' is not an allowed operator for '{one.name}'.")
    if operation.filter_required and not any(one.name == "messages.channel" for one in found):
        raise invalid("filter", "A channel filter is required to list campaigns.")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._at = 0

    def read(self) -> tuple[Condition, ...]:
        found = self._list()
        if self._at != len(self._text):
            raise self._wrong()
        return found

    def _wrong(self) -> Exception:
        return invalid("filter", f"Invalid filter at position {self._at}.")

    def _list(self) -> tuple[Condition, ...]:
        found = [*self._one()]
        while self._take(","):
            found += self._one()
        return tuple(found)

    def _one(self) -> tuple[Condition, ...]:
        way = self._match(_CALL)[:-1]
        if way == "and":
            found = self._list()
        else:
            name = self._match(_NAME)
            if not self._take(","):
                raise self._wrong()
            found = (Condition(way, name, self._value()),)
        if not self._take(")"):
            raise self._wrong()
        return found

    def _value(self) -> Any:
        if self._take("["):
            values = [self._value()]
            while self._take(","):
                values.append(self._value())
            if not self._take("]"):
                raise self._wrong()
            return values
        for word, value in (("true", True), ("false", False)):
            if self._take(word):
                return value
        if self._text[self._at : self._at + 1] in ("'", '"'):
            text = self._match(_TEXT)
            return orjson.loads(text) if text[0] == '"' else text[1:-1].replace("\\'", "'")
        if found := _INSTANT.match(self._text, self._at):
            self._at = found.end()
            return _seconds(found[0])
        return float(self._match(_NUMBER))

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._wrong()
        self._at = found.end()
        return found[0]


def _seconds(text: str) -> float:
    instant = datetime.fromisoformat(text)
    return (instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant).timestamp()


def _as_number(value: Any) -> Any:
    return _seconds(value) if isinstance(value, str) and _INSTANT.fullmatch(value) else value


_WAYS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": lambda value, wanted: value in wanted if isinstance(wanted, list) else value == wanted,
    "any": lambda value, wanted: value in wanted,
    "contains": lambda value, wanted: wanted in (value or ""),
    "starts-with": lambda value, wanted: (value or "").startswith(wanted),
    "ends-with": lambda value, wanted: (value or "").endswith(wanted),
    "greater-than": lambda value, wanted: value is not None and value > _as_number(wanted),
    "greater-or-equal": lambda value, wanted: value is not None and value >= _as_number(wanted),
    "less-than": lambda value, wanted: value is not None and value < _as_number(wanted),
    "less-or-equal": lambda value, wanted: value is not None and value <= _as_number(wanted),
    "has": lambda value, wanted: value is not None,
}


def holds(condition: Condition, value: Any) -> bool:
    """Whether a record's value meets the condition."""
    return _WAYS[condition.way](value, condition.value)
