"""JSON as it comes from outside, with what is broken in it made whole and counted. Pure."""

from __future__ import annotations

import json
from typing import Any

import orjson

REPLACEMENT = "\ufffd"


def decode(content: bytes) -> tuple[Any, int]:
    """JSON as values, and how many lone surrogates or broken bytes were replaced by U+FFFD. Raises ValueError."""
    try:
        return orjson.loads(content), 0
    except orjson.JSONDecodeError:
        pass
    text = content.decode("utf-8", "replace")
    broken = text.count(REPLACEMENT) - content.count(REPLACEMENT.encode())
    value, replaced = _without_surrogates(json.loads(text, parse_int=_integer))
    return value, replaced + broken


def _integer(digits: str) -> int | float:
    """As orjson reads it, which writes no integer beyond 64 bits."""
    number: int | float = orjson.loads(digits)
    return number


def _without_surrogates(value: Any) -> tuple[Any, int]:
    if isinstance(value, str):
        lone = sum(1 for letter in value if "\ud800" <= letter <= "\udfff")
        return (_replace_surrogates(value), lone) if lone else (value, 0)
    if isinstance(value, list):
        pairs = [_without_surrogates(item) for item in value]
        return [item for item, _ in pairs], sum(count for _, count in pairs)
    if isinstance(value, dict):
        found = {name: _without_surrogates(item) for name, item in value.items()}
        return {name: item for name, (item, _) in found.items()}, sum(count for _, count in found.values())
    return value, 0


def _replace_surrogates(text: str) -> str:
    return "".join(REPLACEMENT if "\ud800" <= letter <= "\udfff" else letter for letter in text)
