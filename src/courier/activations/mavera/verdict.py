"""Whether an answer keeps to its JSON Schema, and names only evidence that it was given. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

MOST_TOLD = 5


def schema_problem(schema: Mapping[str, Any]) -> str:
    """What is wrong with the schema itself; empty where nothing is."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"`schema` is no JSON Schema: {_place(error.absolute_path)} {error.validator} is broken"
    return ""


def breaches(answer: Any, schema: Mapping[str, Any]) -> list[str]:
    """Where the answer breaks its schema: the place and the rule, never a value."""
    errors = Draft202012Validator(schema).iter_errors(answer)
    found = sorted(
        {f"the answer breaks its schema at {_place(error.absolute_path)}: {error.validator}" for error in errors}
    )
    return found[:MOST_TOLD] + ([f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else [])


def false_evidence(answer: Any, allowed: Mapping[str, frozenset[str]]) -> list[str]:
    """Evidence that the answer names and that was never sent, by its path (`themes[].evidence_review_ids[]`)."""
    found = []
    for path, values in allowed.items():
        named = {str(value) for value in at(answer, path)}
        if strange := len(named - values):
            found.append(f"{path} names {strange} of {len(named)} that were not among what was sent")
    return found


def at(answer: Any, path: str) -> Iterator[Any]:
    """Every value at a path of names; `[]` goes through a list."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    inner = answer.get(name) if isinstance(answer, Mapping) else None
    if inner is None:
        return
    for value in inner if head.endswith("[]") and isinstance(inner, list) else [inner]:
        if rest:
            yield from at(value, rest)
        else:
            yield value


def _place(path: Any) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") or "its top"
