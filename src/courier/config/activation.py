"""What a file of activations/ means, once it is read and found good, with the SQL beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from courier.config.project import SecretRef

Apply = Literal["by_hand", "automatic"]
Dialect = Literal["reference", "seed"]
RowsAre = Literal["cohorts", "things"]
SurfaceName = Literal["personas", "responses", "chat", "focus_groups", "generations"]
COHORT_FLOOR = 5
"""No setting lets a smaller group of people leave the building."""
CUSTOMERS = "customers"
"""The column of a query that says how many people a row stands for."""
SAMPLE_SIZE = "sample_size"
"""The column that says how many of them have any value, where a guard compares with them."""


@dataclass(frozen=True)
class Guards:
    """What may leave, and at what cost.

    min_cohort_size: rows whose `customers` column is smaller are left out
    support:         column of a value -> column that counts the customers who share it; smaller than `min_support`
                     is left out
    distinct:        column of a value -> column that counts how many different ones there are among the customers who
                     have any (`sample_size`); more than half as many: left out, it is nearly a name
    release:         pii columns (schema.table.column) that leave all the same, as values with enough support. Never
                     those with a pii tag
    consent:         tags of which the query must filter a column: is-email-opted-in
    exact:           columns whose numbers are not rounded
    max_credits:     of one run, as of one month: the highest estimate must fit
    max_age:         the data may not be older
    """

    min_cohort_size: int = 25
    support: Mapping[str, str] = field(default_factory=dict)
    min_support: int = 25
    distinct: Mapping[str, str] = field(default_factory=dict)
    release: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    max_credits: int | None = None
    max_credits_per_month: int | None = None
    max_age: timedelta | None = None


@dataclass(frozen=True)
class Each:
    """A list: one text per row of the item, of the rows whose columns have these values."""

    text: str
    where: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Persona:
    """Templates. `fields`: Mavera's own names. `attributes`: columns (key, value, sample) that the dialect `seed`
    sends as `demographic.custom_attributes`. `enriches`: another activation, whose persona of the same key is updated;
    name, type, pipeline_type and description then serve only where it has to be made."""

    name: str
    type: str
    pipeline_type: str
    description: str
    fields: Mapping[str, str | Each] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = "reference"
    enriches: str | None = None


@dataclass(frozen=True)
class Contract:
    """What an answer that is JSON must keep to, checked here, whatever the language model was told.

    schema:   JSON Schema of the answer; None: it is text, and nothing else holds of it
    evidence: path in the answer (themes[].evidence_review_ids[]) -> column that holds every value it may name
    sums:     path (channels[].budget_share) -> what the numbers there add up to
    rows:     path of a list (channels[]) that has one element for each row sent -> the columns, by their own names,
              that an element repeats unchanged; the first of them says which row it is
    """

    schema: Mapping[str, Any] | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, float] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """One answer of the model per item."""

    input: str
    instructions: str | None = None
    persona: str | None = None
    contract: Contract = field(default_factory=Contract)
    options: Mapping[str, Any] = field(default_factory=dict)  # temperature, verbosity, reasoning_effort ...


@dataclass(frozen=True)
class Chat:
    """One message to Mave per item. `thread`: goes on in the thread of the item's last message, or begins a new one.
    The message says what the contract asks for: Mave has no other place for it."""

    message: str
    thread: Literal["continue", "new"] = "continue"
    contract: Contract = field(default_factory=Contract)


@dataclass(frozen=True)
class Question:
    """type: likert, nps, open_ended, multiple_choice, rating, yes_no ... as Mavera spells it."""

    text: str
    type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class FocusGroup:
    """A focus group per item. `personas`: names of personas, or `activation:NAME` for all that it made.
    `names`: our word -> the field's name at Mavera, where it differs from what is assumed."""

    name: str
    questions: tuple[Question, ...]
    personas: tuple[str, ...]
    responses: int = 2  # per persona and question
    deadline: timedelta = timedelta(minutes=10)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Generation:
    """One text per item, written by an app, which is found by its name. `input`: the app's fields -> templates."""

    app: str
    title: str
    input: Mapping[str, str]
    brand_voice: str | None = None
    persona: str | None = None


@dataclass(frozen=True)
class Activation:
    """One file of activations/ with its SQL.

    key:        the column that ties rows to what they made, from run to run; rows with the same value are one item.
                None: all rows are one item
    rows_are:   cohorts: every row stands for people and counts them in `customers`. things: channels, products, flows
    row:        template of one line of `{rows}`; None: a JSON object of `columns`
    columns:    what `{rows}` may show, where there is no `row`
    parameters: values of $name in the SQL. $as_of and $min_cohort_size are always there
    must_occur: parameter -> column (schema.table.column) in which each of its values must occur
    workspace:  Mavera's workspace, for the surfaces that need one
    """

    name: str
    path: str  # activations/mavera_cohorts.yaml
    sql_path: str  # activations/mavera_cohorts.sql
    sql: str
    destination: Literal["mavera"]
    surface: SurfaceName
    body: Persona | Response | Chat | FocusGroup | Generation
    credential: Mapping[str, str | SecretRef]
    guards: Guards = field(default_factory=Guards)
    key: str | None = None
    rows_are: RowsAre = "cohorts"
    row: str | None = None
    columns: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    must_occur: Mapping[str, str] = field(default_factory=dict)
    apply: Apply = "by_hand"
    endpoint: str | None = None
    workspace: str | None = None
