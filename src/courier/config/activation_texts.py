"""Every text of an activation that may name columns, with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from courier.config.activation import (
    SAMPLE_SIZE,
    Activation,
    Chat,
    Contract,
    Each,
    FocusGroup,
    Generation,
    Persona,
    Response,
)

Path = tuple[str | int, ...]


def texts(activation: Activation) -> Iterator[tuple[Path, str]]:
    """(path in the file, template), in the file's order."""
    if activation.row is not None:
        yield ("row",), activation.row
    yield from _of_body(activation.body)


def named_columns(activation: Activation) -> Iterator[tuple[Path, str]]:
    """(path in the file, column) of everything that names a column of the query outside of a template."""
    body = activation.body
    if activation.key is not None:
        yield ("persona", "key") if isinstance(body, Persona) else ("key",), activation.key
    yield from ((("columns", position), name) for position, name in enumerate(activation.columns))
    if isinstance(body, Persona):
        yield from _of_persona(body)
    if isinstance(body, Response | Chat):
        yield from _of_contract("response" if isinstance(body, Response) else "chat", body.contract)
    for guard, pairs in (("support", activation.guards.support), ("distinct", activation.guards.distinct)):
        for value, counter in pairs.items():
            yield ("guards", guard, value), value
            yield ("guards", guard, value), counter
            if guard == "distinct":
                yield ("guards", guard, value), SAMPLE_SIZE
    yield from ((("guards", "exact", place), name) for place, name in enumerate(activation.guards.exact))


def _of_contract(section: str, contract: Contract) -> Iterator[tuple[Path, str]]:
    yield from (((section, "evidence", path), name) for path, name in contract.evidence.items())
    for path, columns in contract.rows.items():
        yield from (((section, "checks", "rows", path, place), name) for place, name in enumerate(columns))


def _of_persona(body: Persona) -> Iterator[tuple[Path, str]]:
    for name, written in body.fields.items():
        if isinstance(written, Each):
            yield from ((("persona", "fields", name, "where", column), column) for column in written.where)
    yield from ((("persona", "attributes", word), column) for word, column in body.attributes.items())


def _of_body(body: Persona | Response | Chat | FocusGroup | Generation) -> Iterator[tuple[Path, str]]:
    if isinstance(body, Persona):
        yield ("persona", "name"), body.name
        yield ("persona", "description"), body.description
        for name, written in body.fields.items():
            each = isinstance(written, Each)
            path = ("persona", "fields", name, "each") if each else ("persona", "fields", name)
            yield path, written.text if isinstance(written, Each) else written
    elif isinstance(body, Response):
        yield from _given("response", input=body.input, instructions=body.instructions, persona=body.persona)
    elif isinstance(body, Chat):
        yield ("chat", "message"), body.message
    elif isinstance(body, FocusGroup):
        yield ("focus_group", "name"), body.name
        yield from ((("focus_group", "questions", at, "text"), one.text) for at, one in enumerate(body.questions))
    else:
        yield ("generation", "title"), body.title
        yield from _nested("generation", "input", body.input)
        yield from _given("generation", persona=body.persona)


def _given(section: str, **written: str | None) -> Iterator[tuple[Path, str]]:
    yield from (((section, name), text) for name, text in written.items() if text is not None)


def _nested(section: str, key: str, written: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    yield from (((section, key, name), text) for name, text in written.items())
