"""An answer to a JSON Schema, by rules instead of a language model: valid, always the same, and naming real evidence.

Inferred: everything. A property that asks for ids (`evidence_review_ids`, `ids`, `customer_id`) gets ids that the input
names, as `review_id: 17`, `"id": "17"`, or else any word with a digit in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil, floor
from typing import Any

import orjson

from courier.sandbox.mavera import draws

_NAMED = re.compile(r"evidence|(?:^|_)(?:ids?|keys?)$")
_NOTES = {"title", "description", "default", "examples", "$schema", "$defs", "definitions", "$id", "$comment"}
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")
# Keyword -> whether a value of it can be understood.
_KNOWN: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_NOTES, lambda value: True),
    **dict.fromkeys(("additionalProperties", "uniqueItems"), lambda value: isinstance(value, (bool, dict))),
    **dict.fromkeys(
        ("minItems", "maxItems", "minLength", "maxLength"), lambda value: _is(value, int) and 0 <= value <= 10_000
    ),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), lambda value: _is(value, int, float)
    ),
    "multipleOf": lambda value: _is(value, int, float) and value > 0,
    "type": lambda value: value in _KINDS or (_is(value, list) and bool(value) and all(one in _KINDS for one in value)),
    "properties": lambda value: _is(value, dict),
    "items": lambda value: _is(value, dict),
    "required": lambda value: _is(value, list) and all(_is(name, str) for name in value),
    "enum": lambda value: _is(value, list) and bool(value),
    "const": lambda value: True,
    **dict.fromkeys(
        ("anyOf", "oneOf"), lambda value: _is(value, list) and bool(value) and all(_is(one, dict) for one in value)
    ),
    "$ref": lambda value: _is(value, str),
    "format": lambda value: _is(value, str),
}
_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "time": "09:30:00Z",
    "uri": "https://example.invalid/",
    "uuid": "6f1c9a52-3b1d-4c8e-9a57-2d1f0c7b8e11",
}
FOREIGN = "made-up-0000"
DEEPEST = 12
_WORDS = ["clear", "steady", "strong", "mixed", "early", "quiet", "useful", "common", "rare", "bright", "plain", "open"]


class Unmakeable(Exception):
    """A schema that these rules cannot answer."""


class Maker:
    """Answers to one schema and input. foreign: evidence names also something that the input does not.

    Raises Unmakeable.
    """

    def __init__(self, schema: Mapping[str, Any], text: str, *, foreign: bool = False) -> None:
        self.schema = schema
        self.text = text
        self.foreign = foreign

    def answer(self) -> Any:
        return self._make(self.schema, "", "$", 0)

    def _make(self, schema: Any, name: str, path: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if depth > DEEPEST:
            raise Unmakeable(f"the schema is nested more than {DEEPEST} deep at {path}")
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draws.one(schema["enum"], self.text, path)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, path, depth)
        if kind == "array":
            return self._array(schema, name, path, depth)
        return self._plain(kind, schema, name, path)

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        """The schema behind references and alternatives; of alternatives the first that is not null."""
        for _ in range(DEEPEST):
            if not isinstance(schema, Mapping):
                return {}
            _understand(schema)
            if "$ref" in schema:
                schema = self._referred(schema["$ref"])
            elif choices := schema.get("anyOf") or schema.get("oneOf"):
                schema = next((one for one in choices if one.get("type") != "null"), choices[0])
            else:
                return schema
        raise Unmakeable("the schema refers to itself")

    def _referred(self, reference: str) -> Any:
        found: Any = self.schema
        for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            if not isinstance(found, Mapping) or part not in found:
                raise Unmakeable(f"{reference} is nowhere in the schema")
            found = found[part]
        return found

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        """All properties; deep down only those that must be there, so that a schema of itself ends."""
        needed, known = schema.get("required", []), schema.get("properties", {})
        names = [*known, *(name for name in needed if name not in known)]
        wanted = [name for name in names if name in needed or depth < 4]
        return {name: self._make(known.get(name, {}), name, f"{path}.{name}", depth + 1) for name in wanted}

    def _array(self, schema: Mapping[str, Any], name: str, path: str, depth: int) -> list[Any]:
        least, most = schema.get("minItems", 0), schema.get("maxItems", 1_000)
        items = schema.get("items", {})
        plain = self._resolved(items)
        if _NAMED.search(name) and _kind(plain) in ("string", "integer") and not {"enum", "const"} & set(plain):
            found = self._evidence(name, plain, path, most)
            if len(found) >= least:
                return found
        count = max(least, 0 if depth >= 4 else min(2, most))
        made = [self._make(items, name, f"{path}[{index}]", depth + 1) for index in range(count)]
        if not schema.get("uniqueItems"):
            return made
        return [item for index, item in enumerate(made) if item not in made[:index]]

    def _evidence(self, name: str, schema: Mapping[str, Any], path: str, most: int) -> list[Any]:
        """Ids of the input that fit the schema of a single one."""
        kind = _kind(schema)
        fitting = [one for one in self.ids(name, kind) if _fits(one, schema)]
        found: list[Any] = draws.some(fitting, min(3, most), self.text, path)
        if self.foreign and most > 0:
            found = [*found[: most - 1], 987_654_321 if kind == "integer" else FOREIGN]
        return found

    def ids(self, name: str, kind: str = "string") -> list[Any]:
        """What the input names that a property of this name may mean, each once, in the input's order."""
        stem = re.sub(r"^evidence_?|s$", "", re.sub(r"s$", "", name)) or "id"
        if kind == "string" and (found := _told(rows_of(self.text), stem)):
            return found
        for pattern in (rf'\b{re.escape(stem)}"?\s*[:=]\s*"?([\w./-]+)', r'\b\w*id"?\s*[:=]\s*"?([\w./-]+)'):
            if found := re.findall(pattern, self.text, re.IGNORECASE):
                break
        else:
            found = re.findall(r"(?<![\w.-])[\w-]*\d[\w-]*(?![\w.-])", self.text)
        found = [word.rstrip(".") for word in dict.fromkeys(found)]
        return [int(word) for word in found if word.isdecimal()] if kind == "integer" else found

    def _plain(self, kind: str, schema: Mapping[str, Any], name: str, path: str) -> Any:
        if kind == "null":
            return None
        if kind == "boolean":
            return draws.number(0, 1, self.text, path) == 1
        if kind in ("integer", "number"):
            if kind == "integer" and _NAMED.search(name) and (found := self._evidence(name, schema, path, 1)):
                return found[0]
            return self._number(kind, schema, path)
        if "format" in schema and schema["format"] in _FORMATS:
            return str(_FORMATS[schema["format"]])
        if _NAMED.search(name) and (found := self._evidence(name, schema, path, 1)):
            return found[0]
        return self._words(schema, name, path)

    def _number(self, kind: str, schema: Mapping[str, Any], path: str) -> int | float:
        low, high = _bounds(schema)
        if kind == "number" and "multipleOf" not in schema:
            found: float = low + (high - low) * draws.number(1, 9, self.text, path) / 10
            return found
        step = schema.get("multipleOf", 1)
        first, last = ceil(low / step), floor(high / step)
        first += first * step == schema.get("exclusiveMinimum")
        last -= last * step == schema.get("exclusiveMaximum")
        if last < first:
            raise Unmakeable(f"no number fits at {path}")
        whole: int | float = draws.number(first, last, self.text, path) * step
        return whole

    def _words(self, schema: Mapping[str, Any], name: str, path: str) -> str:
        mood = draws.one(_WORDS, self.text, path)
        text = f"{(name or 'answer').replace('_', ' ').capitalize()}, {mood}"
        text += " ." * (schema.get("minLength", 0) - len(text))
        return str(text[: schema.get("maxLength")])


def rows_of(text: str) -> list[dict[str, Any]]:
    """The lines of a text that are JSON objects, in their order."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue
    return found


def _told(rows: list[dict[str, Any]], stem: str) -> list[str]:
    """What rows hold of texts at `segment`, or at `segment_a` and `segment_b`, each once."""
    values = [value for row in rows for name, value in row.items() if name == stem or name.startswith(f"{stem}_")]
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _is(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _understand(schema: Mapping[str, Any]) -> None:
    """Raises Unmakeable where a keyword is unknown, or its value is not what that keyword has."""
    if unknown := sorted(set(schema) - set(_KNOWN)):
        raise Unmakeable(f"the sandbox does not know {', '.join(unknown)} of JSON Schema")
    if wrong := [name for name, value in schema.items() if not _KNOWN[name](value)]:
        raise Unmakeable(f"{', '.join(wrong)} cannot be that in a JSON Schema")


def _fits(identity: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(identity, str):
        return bool(schema.get("minLength", 0) <= len(identity) <= schema.get("maxLength", len(identity)))
    low, high = _bounds(schema) if {"minimum", "maximum"} & set(schema) else (identity, identity)
    return low <= identity <= high and not {"exclusiveMinimum", "exclusiveMaximum", "multipleOf"} & set(schema)


def _bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    """The least and the greatest number, which may be excluded; 100 apart where only one of them is told."""
    lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
    highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
    low = max(lows) if lows else min([0, *(high - 100 for high in highs)])
    return low, min(highs) if highs else low + 100


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def spoiled(answer: Any, schema: Mapping[str, Any]) -> Any:
    """The answer so that it breaks its schema: a required property is missing, or the type is another."""
    needed = schema.get("required", [])
    if isinstance(answer, dict) and needed:
        return {name: value for name, value in answer.items() if name != needed[0]}
    return {"unexpected": True} if isinstance(answer, list) else [answer]
