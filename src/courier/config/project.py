"""What a project's YAML means, once it is read and found good: frozen values that every other layer works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from courier.config.activation import Activation

TypeName = Literal["boolean", "date", "datetime", "decimal", "float", "integer", "json", "string", "string[]"]
RunType = Literal["full", "source"]
Load = Literal["upsert", "truncate"]
Mode = Literal["auto", "pages", "bulk"]
DestinationType = Literal["duckdb", "postgres"]
AlertKind = Literal["failed", "blocked", "late", "recovered", "volume", "stale"]

PARALLEL = 8
"""Couriers of a group that run at once, where it does not say."""


@dataclass(frozen=True)
class ColumnType:
    """A column's type. `decimal` alone is DECIMAL(19,4); precision and scale are set for decimals only."""

    name: TypeName
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        plain = self.precision is None or (self.precision, self.scale) == (19, 4)
        return self.name if plain else f"{self.name}({self.precision},{self.scale})"


@dataclass(frozen=True)
class Step:
    """One name of a path; `index` where the path picks one element of a list: `selectedOptions[0]`."""

    name: str
    index: int | None = None


@dataclass(frozen=True)
class Source:
    """Where a value comes from, relative to the row's record.

    kind "field":    `climb` times up to the parent record, then along `steps` (`parent.legacyResourceId`)
    kind "value":    the element itself, for rows over a list of scalars (`$value`)
    kind "index":    the element's position in its list, from 0 (`$index`)
    kind "computed": a value that the connector publishes, named by the one step (`computed.discount_code_amount`)
    """

    kind: Literal["field", "value", "index", "computed"]
    steps: tuple[Step, ...] = ()
    climb: int = 0
    is_list: bool = False  # written with a trailing []: a list of scalars, `$1` is text[]
    text: str = ""  # as written, for messages


@dataclass(frozen=True)
class RowPath:
    """What one row is: a root record type, then the lists to go through.

    `Order.lineItems[].discountAllocations[]` is RowPath("Order", (("lineItems",), ("discountAllocations",))).
    A list below plain objects has all their names: `Order.a.b[]` is RowPath("Order", (("a", "b"),)).
    """

    root: str
    lists: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        return ".".join([self.root, *(".".join(names) + "[]" for names in self.lists)])


@dataclass(frozen=True)
class Column:
    """One column. `sources` is empty only when `unavailable` says why the source can never give it a value."""

    name: str
    type: ColumnType
    sources: tuple[Source, ...]
    sql: str | None = None  # one scalar DuckDB expression over $1..$n, which arrive as text (lists as text[])
    tags: tuple[str, ...] = ()
    pii: bool = False
    unavailable: str | None = None


@dataclass(frozen=True)
class DomainTable:
    """One file of domain_tables/. `parent` is the feed whose rows own sets of this table's rows."""

    name: str  # the feed's name, and the table's: customer
    path: str  # relative to the project: domain_tables/shopify/customer.yaml
    rows: RowPath
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]
    last_updated: str | None = None
    parent: str | None = None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def holds_metafields(self) -> bool:
        """Whether its rows are metafields, of which a feed may choose namespaces."""
        below = bool(self.rows.lists) and self.rows.lists[-1][-1] == "metafields"
        return below and any(column.name == "namespace" for column in self.columns)


@dataclass(frozen=True)
class View:
    """One SQL file of domain_tables/: a view in the schema of every courier that uses the folder.

    `sql` is one SELECT that names the tables beside it alone, without a schema.
    """

    name: str  # customer_totals
    path: str  # domain_tables/shopify/customer_totals.sql
    sql: str


@dataclass(frozen=True)
class SemanticTag:
    """One entry of semantic_tags.yaml. `pattern` entries end in `*`: fk-*."""

    name: str
    type: ColumnType | None
    strict: bool
    pii: bool
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class SecretRef:
    """`${NAME}`: resolved from the environment, `.env`, or the file named by NAME_FILE, and only when it is needed."""

    name: str
    path: str  # the file and line that name it, for messages
    line: int


@dataclass(frozen=True)
class Feed:
    """One table that a courier loads."""

    name: str
    table: DomainTable
    load: Load = "upsert"
    look_back: timedelta | None = None  # None: the connector's own
    every: timedelta | None = None
    error_limit: Decimal = Decimal(1)  # percent of the feed's records
    mode: Mode = "auto"  # how its records are asked for, where the source has more than one way
    namespaces: tuple[str, ...] = ()  # of metafields, those that are kept; empty: all of them
    metrics: tuple[str, ...] = ()  # of events, the names of those that are read; empty: the connector's choice


@dataclass(frozen=True)
class Courier:
    """One file of couriers/, or one store of a file with `stores:`. `name` is also the schema of its tables.

    `fleet` is the file's own name and `store` the store's, where there are stores: shopify_uk is `uk` of `shopify`.
    All couriers of a fleet have the very same `feeds`.
    """

    name: str
    path: str
    connector: str
    api_version: str | None
    credential: Mapping[str, str | SecretRef]
    domain_tables: str
    feeds: tuple[Feed, ...]
    endpoint: str | None = None
    since: datetime | None = None
    fleet: str | None = None
    store: str = ""

    def feed(self, name: str) -> Feed:
        return next(feed for feed in self.feeds if feed.name == name)


@dataclass(frozen=True)
class Fleet:
    """A file of couriers/ with `stores:`. `name` is that of a schema of views over the tables of all of them.

    `stores`: by their couriers' names, in the list's order, what the stores are called there.
    """

    name: str
    path: str
    stores: Mapping[str, str]


@dataclass(frozen=True)
class GroupCourier:
    name: str
    offset: timedelta = timedelta(0)
    wait: timedelta = timedelta(0)
    required: bool = True


@dataclass(frozen=True)
class Constraint:
    group: str
    offset: timedelta = timedelta(0)
    wait: timedelta = timedelta(0)


@dataclass(frozen=True)
class CourierGroup:
    name: str
    schedule: str | None
    timezone: str  # IANA name
    enabled: bool
    run_type: RunType
    couriers: tuple[GroupCourier, ...]
    constraints: tuple[Constraint, ...] = ()
    activations: tuple[str, ...] = ()
    alert_after: timedelta | None = None
    parallel: int = PARALLEL


@dataclass(frozen=True)
class AlertRule:
    """Which alerts go to a target. `kinds` and `groups`: empty is all of them."""

    targets: tuple[str, ...]
    kinds: tuple[AlertKind, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alerts:
    """alerts.yaml: who is told what. Without the file nobody is. `targets` are Apprise URLs, each a whole secret."""

    targets: Mapping[str, SecretRef] = field(default_factory=dict)
    rules: tuple[AlertRule, ...] = ()


@dataclass(frozen=True)
class Destination:
    """Where the domain tables are. `url`, of Postgres alone, is a whole secret: postgresql://user:password@host/database."""

    type: DestinationType = "duckdb"
    url: SecretRef | None = None


@dataclass(frozen=True)
class Project:
    """A whole valid project. `root` is the folder that holds courier_groups.yaml."""

    root: Path
    couriers: Mapping[str, Courier]
    groups: Mapping[str, CourierGroup]
    tags: tuple[SemanticTag, ...]
    lines: Mapping[tuple[str, tuple[str | int, ...]], tuple[int, int]]
    """Where a key stands: (file, path of keys) -> (line, column), 1-based, for problems found by later layers."""
    folders: Mapping[str, Mapping[str, DomainTable]] = field(default_factory=dict)
    """Every domain table by folder and name, whether a courier sends it or not."""
    views: Mapping[str, tuple[View, ...]] = field(default_factory=dict)
    """The views by folder."""
    alerts: Alerts = field(default_factory=Alerts)
    activations: Mapping[str, Activation] = field(default_factory=dict)
    destination: Destination = field(default_factory=Destination)
    fleets: Mapping[str, Fleet] = field(default_factory=dict)
    """By name the files of couriers/ with `stores:`."""

    def members(self, schema: str) -> tuple[str, ...]:
        """The couriers that fill a schema: of a fleet's, those of all its stores. Raises KeyError."""
        return tuple(self.fleets[schema].stores) if schema in self.fleets else (self.couriers[schema].name,)

    def courier_of(self, schema: str) -> Courier:
        """The courier that fills a schema; of a fleet's, any of them: they differ by their credentials only."""
        return self.couriers[self.members(schema)[0]]

    def folder_of(self, schema: str) -> str:
        """The folder of the schema's domain tables."""
        return self.courier_of(schema).domain_tables
