"""The kinds of file as pydantic models: which keys there are, what their values look like, what they default to.

A model sees one file. What needs other files (do names exist, do things fit together) is checked when it is resolved.
The fields' descriptions are what editors show, through the JSON Schemas made of these models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from courier.config.column_types import TYPE_NAMES, parse_type
from courier.config.cron import check_cron
from courier.config.durations import PATTERN as DURATION_PATTERN
from courier.config.durations import parse_duration
from courier.config.project import PARALLEL, AlertKind, ColumnType, DestinationType
from courier.config.suggestions import did_you_mean, listed


def wrong(rule: str, message: str, fix: str) -> PydanticCustomError:
    """A mistake under one of courier's own rules."""
    # Braces are pydantic's placeholders: the texts go in as values.
    return PydanticCustomError(rule, "{message}", {"message": message, "fix": fix})


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise wrong("bad-type", "this must be text", "Put quotes around it.")
    raise wrong("bad-type", "this must be text", "Write one value here.")


def _reads(parse: Callable[[str], object], rule: str, fix: str) -> PlainValidator:
    """A validator out of a parser that raises ValueError with a text for people."""

    def validate(value: object) -> object:
        try:
            return parse(_text(value))
        except ValueError as error:
            if isinstance(error, PydanticCustomError):
                raise
            raise wrong(rule, str(error), fix) from None

    return PlainValidator(validate)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except (ValueError, OverflowError):
        raise ValueError(f"`{text}` is no duration") from None


def _percent(text: str) -> Decimal:
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)%", text)
    if not found or Decimal(found.group(1)) > 100:
        raise ValueError(f"`{text}` is no percentage from 0% to 100%")
    return Decimal(found.group(1))


def _since(text: str) -> datetime:
    if not re.match(r"\d{4}-\d{2}-\d{2}($|T)", text):
        raise ValueError(f"`{text}` is neither a date nor an instant")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is neither a date nor an instant") from None
    if instant.tzinfo is None and "T" in text:
        raise ValueError(f"`{text}` does not say its zone")
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _cron(text: str) -> str:
    reason = check_cron(text)
    if reason:
        raise ValueError(reason)
    return text


def _timezone(text: str) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        otherwise = "Write a name of the IANA database, as America/New_York, Europe/London or UTC."
        fix = did_you_mean(text, zoneinfo.available_timezones(), otherwise)
        raise wrong("unknown-timezone", f"there is no time zone `{text}`", fix) from None
    return text


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("this is no URL") from None
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in ("http", "https") or not parts.hostname or not bare:
        raise ValueError("an endpoint is an origin, without user, path or query")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError("plain http would send the credential readable through the network")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def _at_once(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 64:
        raise wrong("bad-value", "this must be a whole number from 1 to 64", "Write `parallel: 8`.")
    return value


def _type(text: str) -> ColumnType:
    try:
        return parse_type(text)
    except ValueError as error:
        raise wrong("bad-type", str(error), did_you_mean(text, TYPE_NAMES)) from None


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _schema(kind: str = "string", **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


_KIND = {"enum": list(get_args(AlertKind))}
Text = Annotated[str, BeforeValidator(_text), _schema()]
Texts = tuple[Text, ...]
Duration = Annotated[
    timedelta,
    _reads(_duration, "bad-duration", "Write a whole number and a unit: 90s, 30m, 24h, 2d or 1w."),
    _schema(pattern=DURATION_PATTERN),
]
Percent = Annotated[
    Decimal,
    _reads(_percent, "bad-percent", "Write it as 1% or 0.5%."),
    _schema(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?%$"),
]
Since = Annotated[
    datetime,
    _reads(_since, "bad-since", "Write 2024-01-31, or 2024-01-31T00:00:00Z."),
    _schema(pattern=r"^\d{4}-\d{2}-\d{2}"),
]
Cron = Annotated[
    str, _reads(_cron, "bad-cron", 'Write minute, hour, day of month, month, day of week: "30 6 * * *".'), _schema()
]
TimeZone = Annotated[str, _reads(_timezone, "unknown-timezone", ""), _schema()]
Endpoint = Annotated[
    str,
    _reads(_endpoint, "endpoint", "Write https://host, or http://127.0.0.1:PORT for a server on this machine."),
    _schema(pattern="^https?://"),
]
TypeText = Annotated[
    ColumnType,
    _reads(_type, "bad-type", f"Known: {listed(TYPE_NAMES)}."),
    WithJsonSchema(
        {"anyOf": [{"enum": list(TYPE_NAMES)}, {"type": "string", "pattern": r"^decimal\(\s*\d+\s*,\s*\d+\s*\)$"}]}
    ),
]
OneOrMore = Annotated[
    Texts,
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]

AtOnce = Annotated[int, PlainValidator(_at_once), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 64})]
AlertKinds = Annotated[
    tuple[AlertKind, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [_KIND, {"type": "array", "items": _KIND, "minItems": 1}]}),
]


class FileModel(BaseModel):
    """A mapping of a file. A key with nothing after it takes its default, a mapping with nothing every default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def take_defaults(cls, value: object) -> object:
        if value is None:
            return {}
        return {key: v for key, v in value.items() if v is not None} if isinstance(value, dict) else value


def _duration_field(description: str) -> Any:
    return Field(timedelta(0), description=description, json_schema_extra={"default": "0s"})


class FeedModel(FileModel):
    """Options of a feed; with nothing after it a feed takes every default."""

    load: Literal["upsert", "truncate"] = Field(
        "upsert", description="upsert: newest version of a row stays. truncate: every load replaces the table."
    )
    look_back: Duration | None = Field(
        None, description="Read again so far back before the period: 15m. Default: the connector's."
    )
    every: Duration | None = Field(None, description="Skip the feed while it was loaded less than this ago: 24h.")
    error_limit: Percent = Field(
        Decimal(1), description="More records in error than this commit nothing.", json_schema_extra={"default": "1%"}
    )
    mode: Literal["auto", "pages", "bulk"] = Field(
        "auto", description="pages, bulk (the source writes a file first), or auto: whichever suits the period's size."
    )
    namespaces: OneOrMore | None = Field(
        None, description="Of metafields, the namespaces that are kept: [custom, reviews]. Default: all."
    )
    metrics: OneOrMore | None = Field(
        None, description="Of events, the metrics that are read, by name: [Placed Order]. Default: the connector's."
    )


class CourierModel(FileModel):
    """A courier: where a source is, and which feeds it sends. The file's name is the schema of its tables."""

    connector: Text = Field(description="The kind of source.")
    api_version: Text | None = Field(None, description="The version of the source's API that is asked for: 2026-10.")
    credential: dict[str, Text] = Field(
        {},
        description="Names of secrets, ${NAME}: from the environment, .env or NAME_FILE. Of many stores: ${NAME_*}.",
    )
    stores: Text | None = Field(
        None, description="A CSV beside this file, a line per store: each becomes a courier of its own."
    )
    endpoint: Endpoint | None = Field(None, description="Replaces the source's origin: http://127.0.0.1:PORT.")
    domain_tables: Text | None = Field(None, description="Folder of domain_tables/. Default: the connector's name.")
    since: Since | None = Field(None, description="Bounds orders and their children; everything else is pulled whole.")
    feeds: dict[str, FeedModel] = Field(description="The domain tables that this courier loads.", min_length=1)


class GroupCourierModel(FileModel):
    """A courier in a group; with nothing after it a courier takes every default."""

    offset: Duration = _duration_field("Ask again for what changed so long before the period: 24h.")
    wait: Duration = _duration_field("How long an unreachable source may take: 30m.")
    required: bool = Field(True, description="false: a failure is reported and the group carries on.")


class ConstraintModel(FileModel):
    """Another group that must have committed a run scheduled in [S - offset, S + wait]."""

    group: Text = Field(description="The group that is waited for.")
    offset: Duration = _duration_field("How long before this group's start its run may be scheduled: 2h.")
    wait: Duration = _duration_field("How long this group waits for it: 2h.")


class GroupModel(FileModel):
    """A courier group: couriers that run as one unit, then activations."""

    schedule: Cron | None = Field(
        None, description='Five fields of cron, quoted: "30 6 * * *". Without it: by hand only.'
    )
    timezone: TimeZone = Field("UTC", description="IANA name; wall-clock time, all year round.")
    enabled: bool = Field(True, description="false: the schedule does not fire.")
    run_type: Literal["full", "source"] = Field(
        "full", description="full: couriers, then activations. source: couriers only."
    )
    couriers: dict[str, GroupCourierModel] = Field(description="The couriers of this group.", min_length=1)
    constraints: tuple[ConstraintModel, ...] = Field((), description="Other groups that must have committed first.")
    activations: Texts = Field((), description="What runs when every required courier has committed.")
    alert_after: Duration | None = Field(None, description="Alert when a run takes longer than this: 2h.")
    parallel: AtOnce = Field(PARALLEL, description="So many couriers run at once.")


class ColumnModel(FileModel):
    """A column: its type alone, or options."""

    source: OneOrMore | None = Field(
        None, alias="from", description="Path from the row's record, or a list of paths that are $1..$n for `sql`."
    )
    type: TypeText | None = Field(None, description="Default: the type of its first typed tag.")
    tags: Texts = Field((), description="Semantic tags, from semantic_tags.yaml.")
    sql: Text | None = Field(None, description="One scalar DuckDB expression over $1..$n, which arrive as text.")
    pii: bool = Field(False, description="true: personal data. Columns with a pii tag are so anyway.")
    unavailable: Literal["not_in_graphql"] | None = Field(None, description="Why the source can never give it a value.")

    @model_validator(mode="before")
    @classmethod
    def from_type(cls, value: object) -> object:
        """`column: type` is short for `column: { type: type }`."""
        return {"type": value} if isinstance(value, str | int | float | bool) else value


class DomainTableModel(FileModel):
    """A domain table: what a row is, its key, and its columns. The path is its name."""

    rows: Text = Field(description="A record type, or a list below it: Order.lineItems[].")
    primary_key: Texts = Field(description="The columns that make a row unique.", min_length=1)
    last_updated: Text | None = Field(None, description="The column that says which of two versions of a row is newer.")
    parent: Text | None = Field(
        None, description="The feed whose rows own sets of these rows: a set is replaced whole."
    )
    columns: dict[str, ColumnModel] = Field(description="Columns, in the table's order.", min_length=1)


class SemanticTagModel(FileModel):
    """A semantic tag: what a column means."""

    type: TypeText | None = Field(None, description="The type of columns that have this tag and no type of their own.")
    strict: bool = Field(False, description="true: a column's own type may not contradict the tag's.")
    pii: bool = Field(False, description="true: personal data.")
    aliases: Texts = Field((), description="Other spellings that are accepted, with a warning.")


class AlertModel(FileModel):
    """Who is told of what."""

    to: OneOrMore = Field(description="A target, or a list of targets.")
    on: AlertKinds | None = Field(None, description="What is told: [failed, blocked, late]. Default: everything.")
    groups: OneOrMore | None = Field(None, description="Of which groups: [shopify]. Default: of all.")


class AlertsModel(FileModel):
    """alerts.yaml: where alerts go, and which."""

    targets: dict[str, Text] = Field(
        description="Where alerts go: names, each with the ${NAME} of an Apprise URL.", min_length=1
    )
    alerts: tuple[AlertModel, ...] = Field((), description="Who is told of what. Default: every target of everything.")


class DestinationModel(FileModel):
    """Where the domain tables are: its kind alone, or options."""

    type: DestinationType = Field(
        description="duckdb: a file beside the project. postgres: a server, for many writers."
    )
    url: Text | None = Field(
        None,
        description="Of Postgres: the ${NAME} of postgresql://user:password@host:5432/database. "
        "Default: ${COURIER_POSTGRES_URL}.",
    )

    @model_validator(mode="before")
    @classmethod
    def from_type(cls, value: object) -> object:
        """`destination: postgres` is short for `destination: { type: postgres }`."""
        return {"type": value} if isinstance(value, str | int | float | bool) else value


class SettingsModel(FileModel):
    """courier.yaml: the project's settings."""

    destination: DestinationModel = Field(
        DestinationModel(type="duckdb", url=None),
        description="Where the domain tables are: duckdb (the default) or postgres.",
    )


Groups = dict[str, GroupModel]
SemanticTags = dict[str, SemanticTagModel]
