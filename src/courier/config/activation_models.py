"""The files of activations/ as pydantic models. What needs the SQL beside them is checked when it is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, ModelWrapValidatorHandler, PlainValidator, WithJsonSchema, model_validator

from courier.config.activation import COHORT_FLOOR, Apply, Dialect, RowsAre, SurfaceName
from courier.config.models import Duration, Endpoint, FileModel, OneOrMore, Text, Texts, wrong
from courier.config.templates import read_template

_TEMPLATE_FIX = "Name a column of the query, as {customers}; write {{ and }} for braces."
Value = str | int | float | bool


def _template(value: object) -> str:
    if not isinstance(value, str):
        kind = "a list or a mapping" if isinstance(value, dict | tuple) else "this"
        raise wrong("bad-type", f"{kind} must be text" if kind == "this" else f"{kind} cannot stand here", _TEXT_FIX)
    mistake = read_template(value).mistake
    if mistake:
        raise wrong("template", mistake, _TEMPLATE_FIX)
    return value


_TEXT_FIX = 'Put quotes around it. For a list or a number write "{column}", and let the query make it.'
TemplateText = Annotated[str, PlainValidator(_template), WithJsonSchema({"type": "string"})]


def _people(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong("bad-type", "this must be a whole number", "Write it without quotes.")
    if value < COHORT_FLOOR:
        message = f"{value} would let a group of fewer than {COHORT_FLOOR} people leave"
        raise wrong("guard-floor", message, f"Write {COHORT_FLOOR} or more; 25 is the default.")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong("bad-type", "this must be a whole number, 0 or more", "Write it without quotes.")
    return value


def _answers(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 200:
        raise wrong("bad-value", "this must be a whole number from 1 to 200", "Write it without quotes.")
    return value


def _parameter(value: object) -> Any:
    single = isinstance(value, Value)
    if not single and not (isinstance(value, tuple) and all(isinstance(one, Value) for one in value)):
        raise wrong(
            "bad-type", "a parameter is text, a number, true, false, or a list of them", "Write [custom, loyalty]."
        )
    if value == ():
        raise wrong("bad-value", "this is empty", "Name at least one.")
    return value if single else list(value)  # type: ignore[call-overload]


_SINGLE = {"type": ["string", "number", "boolean"]}
People = Annotated[int, PlainValidator(_people), WithJsonSchema({"type": "integer", "minimum": COHORT_FLOOR})]
Count = Annotated[int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
Answers = Annotated[int, PlainValidator(_answers), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 200})]
Parameter = Annotated[
    Any,
    PlainValidator(_parameter),
    WithJsonSchema({"anyOf": [_SINGLE, {"type": "array", "items": _SINGLE, "minItems": 1}]}),
]


class EachModel(FileModel):
    """A list: one text per row of the item. A plain text is one value."""

    each: TemplateText = Field(description="The text of one row: {column}.")
    where: dict[str, Text] = Field({}, description="Only the rows whose columns have these values: { kind: goal }.")


def _each_or_text(value: object, handler: ModelWrapValidatorHandler[EachModel]) -> Any:
    return handler(value) if isinstance(value, dict) else _template(value)


class FieldModel(EachModel):
    """A field of a persona: a text, or a list with one text per row of the item."""

    @model_validator(mode="wrap")
    @classmethod
    def text_too(cls, value: object, handler: ModelWrapValidatorHandler[EachModel]) -> Any:
        """`field: text` is one value; `field: { each: text }` a list."""
        return _each_or_text(value, handler)


class AttributesModel(FileModel):
    """Columns whose rows become Mavera's custom attributes, in the dialect `seed`."""

    key: Text = Field(description="The column with the attribute's name.")
    value: Text = Field(description="The column with its value.")
    sample: Text = Field(description="The column that counts the customers behind it.")


class PersonaModel(FileModel):
    """A persona per item. Texts may name columns of the query: {column}."""

    key: Text | None = Field(None, description="The column that ties rows to their persona, from run to run.")
    name: TemplateText = Field(description="The persona's name, which people and Mavera know it by.")
    type: Literal["B2B", "B2C"] = Field(description="Whom the persona buys for.")
    pipeline_type: Literal["north_star", "intermediate", "advanced"] = Field(description="How much Mavera asks for.")
    description: TemplateText = Field(description="Who these people are.")
    fields: dict[str, FieldModel] = Field({}, description="Mavera's own names of fields, each with its text.")
    attributes: AttributesModel | None = Field(None, description="Columns that the dialect `seed` sends.")
    dialect: Dialect = Field("reference", description="reference: flat fields. seed: demographic.custom_attributes.")
    enriches: Text | None = Field(None, description="Another activation, whose persona of the same key is updated.")


_SCHEMA = "JSON Schema of the answer."
_EVIDENCE = "Path in the answer: the column with every value that it may name. themes[].evidence[]: id."
_CHECKS = "What else must hold of an answer by a schema."


class ChecksModel(FileModel):
    """What must hold of an answer that is JSON, beside its schema. A path is as channels[].budget_share."""

    sums: dict[str, float] = Field({}, description="Path: what the numbers there add up to.")
    rows: dict[str, OneOrMore] = Field(
        {}, description="Path of a list with one element per row: the columns that it repeats. The first is its name."
    )


class ResponseModel(FileModel):
    """One structured answer of the model per item."""

    input: TemplateText = Field(description="What is asked. {rows}: the item's rows, one line each.")
    instructions: TemplateText | None = Field(None, description="How it is to be answered.")
    persona: TemplateText | None = Field(None, description="The persona that answers, by its name or id.")
    answer: dict[str, Any] | None = Field(None, alias="schema", description=_SCHEMA)
    evidence: dict[str, Text] = Field({}, description=_EVIDENCE)
    checks: ChecksModel = Field(ChecksModel.model_construct(), description=_CHECKS)
    options: dict[str, Any] = Field({}, description="temperature, verbosity, reasoning_effort, max_output_tokens.")


class ChatModel(FileModel):
    """One message to Mave per item."""

    message: TemplateText = Field(description="What is asked. {rows}: the item's rows, one line each.")
    thread: Literal["continue", "new"] = Field("continue", description="continue: goes on in the item's last thread.")
    answer: dict[str, Any] | None = Field(None, alias="schema", description=_SCHEMA)
    evidence: dict[str, Text] = Field({}, description=_EVIDENCE)
    checks: ChecksModel = Field(ChecksModel.model_construct(), description=_CHECKS)


class QuestionModel(FileModel):
    """A question to a focus group."""

    text: TemplateText = Field(description="The question.")
    type: Text = Field(description="likert, nps, open_ended, multiple_choice, rating, yes_no, as Mavera spells it.")
    options: Texts = Field((), description="What can be chosen.")


class FocusGroupModel(FileModel):
    """A focus group per item."""

    name: TemplateText = Field(description="The focus group's name.")
    questions: tuple[QuestionModel, ...] = Field(description="What is asked.", min_length=1)
    personas: OneOrMore = Field(description="Names of personas, or activation:NAME for all that it made.")
    responses: Answers = Field(2, description="Answers per persona and question.")
    deadline: Duration = Field(
        timedelta(minutes=10), description="How long it may take: 10m.", json_schema_extra={"default": "10m"}
    )
    names: dict[str, Text] = Field({}, description="Our word: Mavera's name of the field, where they differ.")


class GenerationModel(FileModel):
    """One text per item, written by one of Mavera's apps."""

    app: Text = Field(description="The app's name.")
    title: TemplateText = Field(description="The text's title, by which it is found again.")
    input: dict[str, TemplateText] = Field(description="The app's fields, each with its text.", min_length=1)
    brand_voice: Text | None = Field(None, description="The brand voice, by its label.")
    persona: TemplateText | None = Field(None, description="The persona that it is written for.")


class GuardsModel(FileModel):
    """What may leave, and at what cost."""

    min_cohort_size: People = Field(25, description="Rows that stand for fewer customers are left out. Never below 5.")
    support: dict[str, Text] = Field({}, description="Column of a value: the column that counts who shares it.")
    min_support: People = Field(25, description="Values that fewer customers share are left out. Never below 5.")
    distinct: dict[str, Text] = Field(
        {}, description="Column of a value: the column that counts how many different ones there are."
    )
    release: OneOrMore = Field(
        (), description="Columns with `pii: true` and no pii tag that leave as supported values."
    )
    consent: OneOrMore = Field((), description="Semantic tags by which the query must filter: is-email-opted-in.")
    exact: OneOrMore = Field((), description="Columns whose numbers are not rounded.")
    max_credits: Count | None = Field(None, description="The most credits that one run may cost.")
    max_credits_per_month: Count | None = Field(None, description="The most credits of one calendar month.")
    max_age: Duration | None = Field(None, description="Older data are not sent: 26h.")


class ActivationModel(FileModel):
    """An activation: the rows of the query beside it become personas, answers, chats, focus groups or texts."""

    destination: Literal["mavera"] = Field(description="Where the rows go.")
    surface: SurfaceName = Field(description="What is made of them there.")
    apply: Apply = Field("by_hand", description="automatic: a group applies it after its couriers; it costs credits.")
    credential: dict[str, Text] = Field(
        description="Names of secrets, ${NAME}: from the environment, .env or NAME_FILE."
    )
    endpoint: Endpoint | None = Field(None, description="Replaces Mavera's origin: http://127.0.0.1:PORT.")
    workspace: Text | None = Field(None, description="Mavera's workspace, where the surface needs one.")
    key: Text | None = Field(
        None, description="The column that ties rows to what they made. Without: all are one item."
    )
    rows_are: RowsAre = Field("cohorts", description="cohorts: rows stand for `customers` people. things: for nobody.")
    row: TemplateText | None = Field(None, description="One line of {rows}: {column}.")
    columns: OneOrMore = Field((), description="The columns that {rows} shows, where there is no `row`.")
    parameters: dict[str, Parameter] = Field({}, description="Values of $name in the SQL.")
    must_occur: dict[str, Text] = Field(
        {}, description="Parameter: the column in which each of its values must occur. shopify.customer_tags.value"
    )
    persona: PersonaModel | None = Field(None, description="For the surface personas.")
    response: ResponseModel | None = Field(None, description="For the surface responses.")
    chat: ChatModel | None = Field(None, description="For the surface chat.")
    focus_group: FocusGroupModel | None = Field(None, description="For the surface focus_groups.")
    generation: GenerationModel | None = Field(None, description="For the surface generations.")
    guards: GuardsModel = Field(GuardsModel.model_construct(), description="What may leave, and at what cost.")
