"""Whether an answer keeps to its JSON Schema, adds up, and names nothing but what it was given. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from courier.activations.contract import Figures

MOST_TOLD = 5
ROUNDED = 0.011
"""By how much a sum may be off: thirds of a hundred, written with two decimals, come to 99.99."""


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


def false_figures(answer: Any, sent: Figures) -> list[str]:
    """Lists without exactly one element for each row that was sent, and elements that tell another figure of it."""
    return [problem for path, rows in sent.items() for problem in _unlike(path, list(at(answer, path)), rows)]


def _unlike(path: str, found: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    name, *others = rows[0] if rows else ("",)
    elements = [one if isinstance(one, Mapping) else {} for one in found]
    wanted = {str(row[name]): row for row in rows}
    if sorted(str(one.get(name)) for one in elements) != sorted(str(row[name]) for row in rows):
        yield f"{path} has not one element for each of the {len(rows)} rows that were sent"
    pairs = [(one, wanted[key]) for one in elements if (key := str(one.get(name))) in wanted]
    for other in others:
        if strange := sum(not _equal(one.get(other), row[other]) for one, row in pairs):
            yield f"{path}.{other} is not what was sent in {strange} of {len(pairs)}"


def _equal(one: Any, other: Any) -> bool:
    """Numbers as numbers: 40 is 40.0, and true is not 1."""
    if _is_number(one) and _is_number(other):
        return isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def false_sums(answer: Any, sums: Mapping[str, float]) -> list[str]:
    """Paths whose numbers do not add up, with what they come to. What is no number breaks the schema."""
    found = []
    for path, total in sums.items():
        come_to = sum(value for value in at(answer, path) if _is_number(value))
        if not isclose(come_to, total, abs_tol=ROUNDED):
            found.append(f"{path} adds up to {come_to:g}, not {total:g}")
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
