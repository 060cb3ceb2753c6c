"""Activations: a file of activations/ becomes an Activation, or problems. What its SQL means is for storage to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from courier.config.activation import (
    Activation,
    Chat,
    Contract,
    Each,
    FocusGroup,
    Generation,
    Guards,
    Persona,
    Question,
    Response,
)
from courier.config.activation_models import (
    ActivationModel,
    AttributesModel,
    ChatModel,
    EachModel,
    FocusGroupModel,
    GuardsModel,
    PersonaModel,
    ResponseModel,
)
from courier.config.activation_texts import texts
from courier.config.documents import Document, reference
from courier.config.models import CourierModel
from courier.config.problems import Problem
from courier.config.project import Column, DomainTable, SecretRef
from courier.config.sql_files import read_sql
from courier.config.suggestions import did_you_mean, listed
from courier.config.tables import NAME, NAME_FIX
from courier.config.templates import ROWS, read_template
from courier.config.vocabulary import Vocabulary

SECTIONS: Mapping[str, str] = {
    "personas": "persona",
    "responses": "response",
    "chat": "chat",
    "focus_groups": "focus_group",
    "generations": "generation",
}
"""Surface -> the section that says what is made there."""
GIVEN_PARAMETERS = ("as_of", "min_cohort_size")
CREDENTIAL_KEYS = ("api_key",)


Schema = Mapping[str, Mapping[str, Column] | None]
"""Table -> column; None for one that cannot be read."""


@dataclass(frozen=True)
class Surroundings:
    """What an activation may name. A None stands for what has mistakes of its own."""

    activations: Mapping[str, ActivationModel | None]
    columns: Mapping[str, Schema | None]  # by schema
    tags: Vocabulary


def columns_of_couriers(
    couriers: Mapping[str, CourierModel | None], folders: Mapping[str, Mapping[str, DomainTable | None]]
) -> Mapping[str, Schema | None]:
    """The columns of every table that a courier may load, by the schema that it loads them into."""
    return {
        name: _schema(folders.get(model.domain_tables or model.connector)) if model else None
        for name, model in couriers.items()
    }


def _schema(tables: Mapping[str, DomainTable | None] | None) -> Schema | None:
    if tables is None:
        return None
    return {
        name: {column.name: column for column in table.columns} if table else None for name, table in tables.items()
    }


def read_queries(root: Path, documents: Iterable[str]) -> tuple[Mapping[str, str], list[Problem]]:
    """The SQL beside every file of activations/, by name, and what is missing or left over."""
    wanted = {PurePosixPath(path).with_suffix(".sql").as_posix() for path in documents}
    there = {found.relative_to(root).as_posix() for found in root.glob("activations/*.sql")}
    problems = [_lacks_its_query(path) for path in sorted(wanted - there)]
    problems += [_lacks_its_yaml(path) for path in sorted(there - wanted)]
    read = {PurePosixPath(path).stem: read_sql(root, path) for path in sorted(wanted & there)}
    problems += [sql for sql in read.values() if isinstance(sql, Problem)]
    return {name: sql for name, sql in read.items() if isinstance(sql, str)}, problems


def _lacks_its_query(path: str) -> Problem:
    beside = PurePosixPath(path).with_suffix(".yaml").as_posix()
    fix = "Write the query whose rows are sent."
    return Problem(path, 1, 1, "query-file", f"this file is missing, which {beside} reads", fix)


def _lacks_its_yaml(path: str) -> Problem:
    beside = PurePosixPath(path).with_suffix(".yaml").as_posix()
    return Problem(
        path, 1, 1, "query-file", f"nothing reads this file: there is no {beside}", "Write it, or delete this."
    )


def check_activation(document: Document, model: ActivationModel, around: Surroundings) -> Iterator[Problem]:
    """Everything that can be wrong with an activation whose file has the right structure."""
    yield from _check_credential(document, model)
    yield from _check_section(document, model)
    yield from _check_key(document, model)
    yield from _check_rows(document, model)
    yield from _check_parameters(document, model, around)
    yield from _check_guards(document, model, around)
    yield from _check_others(document, model, around)


def _check_credential(document: Document, model: ActivationModel) -> Iterator[Problem]:
    for key in model.credential:
        if key not in CREDENTIAL_KEYS:
            fix = did_you_mean(key, CREDENTIAL_KEYS, f"Keys here: {listed(CREDENTIAL_KEYS)}.")
            yield document.problem(document.key(("credential", key)), "unknown-key", f"unknown key `{key}`", fix)
    if not model.credential:
        message = f"{model.destination} cannot be opened with nothing"
        yield document.problem(document.key(("credential",)), "bad-credential", message, "Give `api_key`.")


def _check_section(document: Document, model: ActivationModel) -> Iterator[Problem]:
    """The section of the surface is there, and no other one's, which would be ignored."""
    wanted = SECTIONS[model.surface]
    if wanted not in document.data:
        message = f"the section `{wanted}:` is missing, which the surface {model.surface} reads"
        yield document.problem(document.value(("surface",)), "surface-section", message, f"Write `{wanted}:`.")
    for surface, section in SECTIONS.items():
        if section != wanted and section in document.data:
            message = f"`{section}:` belongs to the surface {surface}, and this is {model.surface}"
            fix = f"Delete it, or write `surface: {surface}`."
            yield document.problem(document.key((section,)), "surface-section", message, fix)


def _check_key(document: Document, model: ActivationModel) -> Iterator[Problem]:
    inner = model.persona.key if model.persona else None
    if inner is not None and model.key is not None:
        message = "the key is already named at the top of this file"
        yield document.problem(document.key(("persona", "key")), "surface-section", message, "Keep one of the two.")
    if model.surface == "personas" and model.persona and inner is None and model.key is None:
        message = "the key `key` of `persona` is missing"
        fix = "Name the column that ties rows to their persona from run to run: `key: cohort`."
        yield document.problem(document.key(("persona",)), "missing-key", message, fix)


def _check_rows(document: Document, model: ActivationModel) -> Iterator[Problem]:
    if model.row is not None and model.columns:
        message = "`row:` says already what a line of {rows} is"
        yield document.problem(document.key(("columns",)), "row-template", message, "Keep one of the two.")
    if model.row is None and not model.columns and getattr(model, SECTIONS[model.surface]):
        for path, text in texts(resolve_activation(document, model, "")):
            if ROWS in read_template(text).columns:
                message = "nothing says what a line of {rows} is"
                fix = 'Add `row: "{column}: {column}"` or `columns: [column, column]` at the top of the file.'
                yield document.problem(document.value(path), "row-template", message, fix)


def _check_parameters(document: Document, model: ActivationModel, around: Surroundings) -> Iterator[Problem]:
    for name in model.parameters:
        at = document.key(("parameters", name))
        if name in GIVEN_PARAMETERS:
            fix = "Give it another name." if name == "as_of" else "Set it in `guards:`."
            yield document.problem(at, "parameter", f"`{name}` is always there", fix)
        elif not NAME.fullmatch(name):
            yield document.problem(at, "bad-name", f"`{name}` is no name", NAME_FIX)
    for name, written in model.must_occur.items():
        if name not in document.data.get("parameters", {}):
            fix = did_you_mean(name, model.parameters, "Name one of `parameters:`.")
            at = document.key(("must_occur", name))
            yield document.problem(at, "parameter", f"there is no parameter `{name}`", fix)
        yield from _check_column(document, ("must_occur", name), written, around)


def _check_column(
    document: Document, path: tuple[str | int, ...], written: str, around: Surroundings
) -> Iterator[Problem]:
    """A column that is named in full: shopify.customer_metafield.value."""
    parts = written.split(".")
    if len(parts) != 3:
        fix = "Write schema, table and column: shopify.customer_tags.value."
        yield document.problem(document.value(path), "unknown-column", f"`{written}` is no column of a table", fix)
        return
    known: Any = around.columns
    for kind, name in zip(("courier", "table", "column"), parts, strict=True):
        if name not in known:
            message = f"there is no {kind} `{name}`"
            yield document.problem(document.value(path), "unknown-column", message, did_you_mean(name, known))
            return
        known = known[name]
        if known is None:
            return


def _check_guards(document: Document, model: ActivationModel, around: Surroundings) -> Iterator[Problem]:
    for position, written in enumerate(model.guards.release):
        path = ("guards", "release", position)
        mistakes = list(_check_column(document, path, written, around))
        yield from mistakes or _check_release(document, path, written, around)
    for position, name in enumerate(model.guards.consent):
        if around.tags.complete and around.tags.find(name) is None:
            known = [tag.name for tag in around.tags.tags]
            at = document.value(("guards", "consent", position))
            yield document.problem(at, "unknown-tag", f"there is no semantic tag `{name}`", did_you_mean(name, known))


def _check_release(
    document: Document, path: tuple[str | int, ...], written: str, around: Surroundings
) -> Iterator[Problem]:
    schema, table, name = written.split(".")
    columns = around.columns[schema]
    column = (columns[table] or {}).get(name) if columns else None
    if column is None:
        return
    tagged = [tag.name for tag in map(around.tags.find, column.tags) if tag and tag.pii]
    if tagged:
        message = f"`{written}` is tagged `{tagged[0]}`, which never leaves"
        yield document.problem(document.value(path), "release", message, "Delete it here.")
    elif not column.pii:
        message = f"`{written}` is no personal data and need not be released"
        yield document.problem(document.value(path), "release", message, "Delete it here.")


def _check_others(document: Document, model: ActivationModel, around: Surroundings) -> Iterator[Problem]:
    """What is said of other activations."""
    own = PurePosixPath(document.path).stem
    if model.persona and model.persona.enriches is not None:
        yield from _check_enriches(document, own, model.persona.enriches, around)
    for position, written in enumerate(model.focus_group.personas if model.focus_group else ()):
        kind, _, name = written.partition(":")
        if kind == "activation":
            yield from _check_persona_activation(document, ("focus_group", "personas", position), name, around)


def _check_enriches(document: Document, own: str, name: str, around: Surroundings) -> Iterator[Problem]:
    path = ("persona", "enriches")
    if name == own:
        message = "an activation cannot enrich itself"
        yield document.problem(document.value(path), "enriches", message, "Name the activation that makes the persona.")
        return
    mistakes = list(_check_persona_activation(document, path, name, around))
    yield from mistakes
    other = around.activations.get(name)
    if not mistakes and other and other.persona and other.persona.enriches:
        message = f"`{name}` itself enriches `{other.persona.enriches}`"
        fix = f"Write `enriches: {other.persona.enriches}`."
        yield document.problem(document.value(path), "enriches", message, fix)


def _check_persona_activation(
    document: Document, path: tuple[str | int, ...], name: str, around: Surroundings
) -> Iterator[Problem]:
    if name not in around.activations:
        fix = did_you_mean(name, around.activations, f"Make it: activations/{name}.yaml.")
        yield document.problem(document.value(path), "unknown-activation", f"there is no activation `{name}`", fix)
        return
    other = around.activations[name]
    if other and other.surface != "personas":
        message = f"`{name}` makes {other.surface.replace('_', ' ')}, and no personas"
        fix = "Name an activation with `surface: personas`."
        yield document.problem(document.value(path), "enriches", message, fix)


def resolve_activation(document: Document, model: ActivationModel, sql: str) -> Activation:
    """The activation, of files without problems."""
    path = PurePosixPath(document.path)
    return Activation(
        name=path.stem,
        path=document.path,
        sql_path=path.with_suffix(".sql").as_posix(),
        sql=sql,
        destination=model.destination,
        surface=model.surface,
        body=_body(model),
        credential={key: _credential(document, key, value) for key, value in model.credential.items()},
        guards=_guards(model.guards),
        key=model.persona.key if model.persona and model.persona.key else model.key,
        rows_are=model.rows_are,
        row=model.row,
        columns=model.columns,
        parameters=model.parameters,
        must_occur=model.must_occur,
        apply=model.apply,
        endpoint=model.endpoint,
        workspace=model.workspace,
    )


def _credential(document: Document, key: str, value: str) -> str | SecretRef:
    name = reference(value)
    return SecretRef(name, document.path, document.value(("credential", key)).line) if name else value


def _body(model: ActivationModel) -> Persona | Response | Chat | FocusGroup | Generation:
    made = getattr(model, SECTIONS[model.surface])
    if isinstance(made, PersonaModel):
        return _persona(made)
    if isinstance(made, ResponseModel):
        return _response(made)
    if isinstance(made, FocusGroupModel):
        return _focus_group(made)
    if isinstance(made, ChatModel):
        return Chat(made.message, made.thread, _contract(made))
    return Generation(made.app, made.title, made.input, made.brand_voice, made.persona)


def _persona(model: PersonaModel) -> Persona:
    return Persona(
        model.name,
        model.type,
        model.pipeline_type,
        model.description,
        {name: Each(one.each, one.where) if isinstance(one, EachModel) else one for name, one in model.fields.items()},
        _attributes(model.attributes),
        model.dialect,
        model.enriches,
    )


def _attributes(model: AttributesModel | None) -> Mapping[str, str]:
    return {"key": model.key, "value": model.value, "sample": model.sample} if model else {}


def _response(model: ResponseModel) -> Response:
    return Response(model.input, model.instructions, model.persona, _contract(model), _as_json(model.options))


def _contract(model: ChatModel | ResponseModel) -> Contract:
    return Contract(_as_json(model.answer), model.evidence, model.checks.sums, model.checks.rows)


def _as_json(value: Any) -> Any:
    """Lists as JSON has them: a file's are tuples."""
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, tuple) else value


def _focus_group(model: FocusGroupModel) -> FocusGroup:
    questions = tuple(Question(one.text, one.type, one.options) for one in model.questions)
    return FocusGroup(model.name, questions, model.personas, model.responses, model.deadline, model.names)


def _guards(model: GuardsModel) -> Guards:
    return Guards(**{name: getattr(model, name) for name in GuardsModel.model_fields})
