"""A domain table as the commit sees it: its name in the private file, and the SQL that compares its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from courier.config.project import Column, DomainTable
from courier.storage.duck import duck_type, quote, text
from courier.storage.warehouse import PRIVATE

FAMILY_SCHEMA = "courier_family"
BEGINNING = "'-infinity'::TIMESTAMPTZ"


def side_name(schema: str, table: str) -> str:
    """The name of the table that says which parents the rows of a child table belong to."""
    return f"{schema}__{table}"


@dataclass(frozen=True)
class Family:
    """Where the rows of a child table keep the parent that they belong to.

    `column` holds the parent's primary key (order_line.order_id); without one, the side table does, by row key.
    `keeper`: the table under whose name `courier.parent_version` has the versions of the sets.
    """

    schema: str
    table: str
    key: tuple[str, ...]
    column: str | None
    keeper: str

    @property
    def side_name(self) -> str:
        return side_name(self.schema, self.table)

    @property
    def side(self) -> str:
        """Row key -> `_parent`."""
        return f"{PRIVATE}.{FAMILY_SCHEMA}.{quote(self.side_name)}"

    @property
    def name(self) -> str:
        return f"{PRIVATE}.{quote(self.schema)}.{quote(self.table)}"

    @property
    def rows(self) -> str:
        """A relation over the stored rows: their columns, `_stored` (the rowid) and `_owner` (the parent's key)."""
        if self.column is not None:
            return f"(SELECT *, rowid AS _stored, {quote(self.column)} AS _owner FROM {self.name})"
        same = " AND ".join(f"o.{quote(name)} = f.{quote(name)}" for name in self.key)
        return f"(SELECT o.*, o.rowid AS _stored, f._parent AS _owner FROM {self.name} o JOIN {self.side} f ON {same})"

    @property
    def versions(self) -> str:
        """The condition that picks the versions of its sets."""
        return f"schema_name = {text(self.schema)} AND table_name = {text(self.keeper)}"


@dataclass(frozen=True)
class Target:
    """`family` is there for child tables only."""

    schema: str
    table: DomainTable
    family: Family | None = None

    @property
    def name(self) -> str:
        """`private."shopify"."order"`"""
        return f"{PRIVATE}.{quote(self.schema)}.{quote(self.table.name)}"

    @property
    def columns(self) -> list[str]:
        return [quote(column.name) for column in self.table.columns]

    @property
    def key(self) -> list[str]:
        return [quote(name) for name in self.table.primary_key]

    @property
    def which(self) -> str:
        """The condition that picks this table's rows in a ledger table."""
        return f"schema_name = {text(self.schema)} AND table_name = {text(self.table.name)}"

    @property
    def names(self) -> str:
        """The schema and the table as two SQL values."""
        return f"{text(self.schema)}, {text(self.table.name)}"

    def types(self) -> dict[str, str]:
        """Column -> DuckDB type, of everything in the table."""
        own = {column.name: duck_type(column.type) for column in self.table.columns}
        return {**own, "_fetched_at": "TIMESTAMPTZ", "_run": "VARCHAR"}

    def same_key(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{name} = {right}.{name}" for name in self.key)

    def key_text(self, alias: str) -> str:
        """The primary key as text, as `courier.deleted_record` keeps it."""
        return key_text(self.table.primary_key, alias)

    def equal(self, left: str, right: str) -> str:
        """Whether two rows agree in every column but `_fetched_at` and `_run`."""
        return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in self.columns)

    def version(self, alias: str) -> str:
        """What the contest compares first: last_updated, or else when the source answered."""
        if self.table.last_updated is None:
            return f"{alias}._fetched_at"
        return f"coalesce({alias}.{quote(self.table.last_updated)}, {BEGINNING})"

    def rank(self, alias: str) -> str:
        """A value that is greater for the row that wins; the content decides where time does not."""
        content = ", ".join(f"{alias}.{name}" for name in self.columns)
        return f"row({self.version(alias)}, {alias}._fetched_at, {content})"

    def beats(self, left: str, right: str) -> str:
        """Whether one version of a row wins over another."""
        new, old = self.version(left), self.version(right)
        return (
            f"CASE WHEN {new} <> {old} THEN {new} > {old} "
            f"WHEN {left}._fetched_at <> {right}._fetched_at THEN {left}._fetched_at > {right}._fetched_at "
            f"ELSE {self.rank(left)} > {self.rank(right)} END"
        )


def key_text(key: Iterable[str], alias: str = "") -> str:
    """A primary key as text: the column, or a JSON list if it has several."""
    parts = [f"{alias}.{quote(name)}::VARCHAR" if alias else f"{quote(name)}::VARCHAR" for name in key]
    return parts[0] if len(parts) == 1 else f"to_json([{', '.join(parts)}])::VARCHAR"


def parent_column(table: DomainTable, parent: DomainTable) -> str | None:
    """The column that always holds the parent's primary key, if one does: order_line.order_id."""
    if len(parent.primary_key) != 1:
        return None
    key = parent.column(parent.primary_key[0])
    climb = len(table.rows.lists) - len(parent.rows.lists)
    return next((column.name for column in table.columns if _is_parent_key(column, key, climb)), None)


def parent_type(parent: DomainTable) -> str:
    """The DuckDB type of `_parent`."""
    return duck_type(parent.column(parent.primary_key[0]).type)


def comma(names: Iterable[str], alias: str = "") -> str:
    """`a, b`, or `r.a, r.b`."""
    return ", ".join(f"{alias}.{name}" if alias else name for name in names)


def _is_parent_key(column: Column, key: Column, climb: int) -> bool:
    if len(column.sources) != 1 or len(key.sources) != 1:
        return False
    ours, theirs = column.sources[0], key.sources[0]
    return (
        (ours.kind, ours.steps, ours.is_list) == (theirs.kind, theirs.steps, theirs.is_list)
        and ours.climb == climb + theirs.climb
        and (column.sql, column.type) == (key.sql, key.type)
    )
