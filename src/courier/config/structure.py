"""One file against its model: pydantic's errors become problems that say where, what and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from courier.config.documents import Document
from courier.config.masking import masked
from courier.config.problems import Problem
from courier.config.suggestions import did_you_mean, listed
from courier.config.yaml_nodes import Path

T = TypeVar("T")

_EXPECTED: Mapping[str, str] = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "bool_type": "true or false",
    "string_type": "text",
}
_EXAMPLES: Mapping[str, str] = {
    "a mapping": "Write keys and values: `key: value` on lines of their own, or `{ key: value }`.",
    "a list": "Write `[first, second]`.",
    "true or false": "Write true or false, without quotes.",
    "text": "Put quotes around it.",
}


def check(document: Document, shape: type[T]) -> tuple[T | None, list[Problem]]:
    """The file's content as `shape` (a model, or a dict of models), and every problem of its structure.

    With problems, the content is what is left without them, so that the rest of the file can be checked as well; None
    where too little is left.
    """
    if document.root is None:
        return None, []
    model, errors = _validated(document.data, shape)
    problems = [_problem(document, shape, details) for details in errors]
    data = document.data
    while errors and data is not None:
        data = _without(data, errors)
        model, errors = _validated(data, shape)
    return model, problems


def _validated(data: Any, shape: type[T]) -> tuple[T | None, list[ErrorDetails]]:
    try:
        return _adapter(cast(Any, shape)).validate_python(data), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _without(data: Any, errors: list[ErrorDetails]) -> Any:
    """The data with every wrong value taken out, and everything that lacks a key; None where nothing would be left."""
    for error in errors:
        path: Path = tuple(error["loc"])
        data = _cut(data, path[:-1] if error["type"] == "missing" else path)
    return data


def _cut(data: Any, path: Path) -> Any:
    """Nothing in the place of the value, and no key where nothing was wrong too.

    Lists are taken out whole: their items' positions are those of the file.
    """
    if not path or not isinstance(data, dict) or path[0] not in data:
        return None
    key, rest = path[0], path[1:]
    if data[key] is None:
        return {name: value for name, value in data.items() if name != key}
    return {**data, key: _cut(data[key], rest)}


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _problem(document: Document, shape: Any, error: ErrorDetails) -> Problem:
    path: Path = tuple(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(document, shape, path)
    if kind == "missing":
        return _missing_key(document, path)
    if kind == "literal_error":
        return _unknown_value(document, path, error["ctx"]["expected"])
    if kind in ("too_short", "string_too_short"):
        return document.problem(document.value(path), "bad-value", "this is empty", "Name at least one.")
    if "ctx" in error and "fix" in error["ctx"]:
        return document.problem(document.value(path), kind, error["msg"], error["ctx"]["fix"])
    expected = _EXPECTED.get(kind, "something else")
    fix = _EXAMPLES.get(expected, "")
    return document.problem(document.value(path), "bad-type", f"this must be {expected}", fix)


def _unknown_key(document: Document, shape: Any, path: Path) -> Problem:
    known = _keys_at(shape, path[:-1])
    fix = did_you_mean(str(path[-1]), known, f"Keys here: {listed(known)}.")
    shown = _shown(document, path[-1])
    return document.problem(document.key(path), "unknown-key", f"unknown key `{shown}`", fix)


def _shown(document: Document, written: object) -> str:
    """A secret may stand where a key or another value belongs. In domain tables `token` may be a column."""
    return masked(str(written), keys=not document.path.startswith("domain_tables/"), urls=True)


def _missing_key(document: Document, path: Path) -> Problem:
    where = f" of `{path[-2]}`" if len(path) > 1 else ""
    message = f"the key `{path[-1]}`{where} is missing"
    if document.node(path) is not None:
        message = f"the key `{path[-1]}`{where} has no value, and no default"
    return document.problem(document.key(path), "missing-key", message, f"Give `{path[-1]}:` a value.")


def _unknown_value(document: Document, path: Path, expected: str) -> Problem:
    known = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    # One value may stand for a list of one.
    node = document.node(path) or document.node(path[:-1])
    written = _shown(document, getattr(node, "value", None))
    fix = did_you_mean(written, known, f"One of: {listed(known)}.")
    return document.problem(document.value(path), "bad-value", f"`{written}` is not known here", fix)


def _keys_at(shape: Any, path: Iterable[str | int]) -> list[str]:
    """The keys that the model at this path of a file knows."""
    for step in path:
        shape = _below(shape, step)
    return [field.alias or name for name, field in _fields(shape).items()]


def _below(shape: Any, step: str | int) -> Any:
    fields = _fields(shape)
    if fields:
        found = (field.annotation for name, field in fields.items() if step in (name, field.alias))
        return next(found, None)
    inner = [kind for kind in get_args(shape) if kind not in (str, type(None), ...)]
    below = inner[0] if inner else None
    return _below(below, step) if isinstance(shape, UnionType) else below


def _fields(shape: Any) -> dict[str, FieldInfo]:
    return shape.model_fields if isinstance(shape, type) and issubclass(shape, BaseModel) else {}
