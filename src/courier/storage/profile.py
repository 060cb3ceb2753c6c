"""How good the tagged columns are: filled, unique, of the right form. Counts alone: no value leaves from here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from courier.storage.duck import quote
from courier.storage.entities import SCHEMA, Entity, is_kind_of
from courier.storage.inspect import has_ledger, semantic_views, types_of
from courier.storage.postgres.snapshot import Snapshot
from courier.storage.semantic import tagged_tables

if TYPE_CHECKING:
    from courier.storage.duck import Connection

Wanted = Callable[[str], bool]
"""Whether a tag is asked for."""
_EMAIL = r"^[^@\s]{1,64}@([\pL\pN]([\pL\pN-]*[\pL\pN])?\.)+(\pL{2,}|xn--[a-zA-Z0-9-]+)$"
_PHONE = r"^[+]?[0-9 ().\/-]*$"


@dataclass(frozen=True)
class TaggedColumn:
    """A column of a domain table, and one tag that it carries; `type` is the column's own."""

    table: str
    column: str
    tag: str
    type: str
    pii: bool


@dataclass(frozen=True)
class ColumnProfile:
    """Counts of one column, in rows; `table` is shopify.customer, or semantic.customer.

    filled: neither null nor empty. distinct: different values. invalid: filled, but no e-mail address or phone number;
    None for other tags. unfit: of another type than the tag's and not to be cast, so null in the view.
    """

    table: str
    column: str
    tags: tuple[str, ...]
    rows: int
    filled: int
    distinct: int
    invalid: int | None
    unfit: int

    @property
    def suits(self) -> bool:
        """Whether the tags may be meant for this column: what most of its values contradict are for another one."""
        return self.unfit == 0 and 2 * (self.invalid or 0) <= self.filled


def tagged_columns(connection: Connection, wanted: Wanted) -> list[TaggedColumn]:
    """Every column of a domain table that carries a tag which is asked for."""
    return [
        TaggedColumn(f"{table.schema}.{table.name}", column.name, tag, column.type, column.pii)
        for table in (tagged_tables(connection, "courier") if has_ledger(connection) else ())
        for column in table.columns
        for tag in column.tags
        if wanted(tag)
    ]


def profiles(connection: Connection, wanted: Wanted, named: Collection[str] = ()) -> list[ColumnProfile]:
    """The tagged columns of the domain tables, then those of the views over all sources; of those `named`, if any."""
    if not has_ledger(connection):
        return []
    entities = [one for one in semantic_views(connection) if types_of(connection, *one.relation.split("."))]
    targets = dict(_targets(connection, entities))
    columns: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for one in tagged_tables(connection, "courier"):
        columns[f"{one.schema}.{one.name}"] = [(column.name, column.tags) for column in one.columns]
    for entity in entities:
        columns[entity.relation] = [(column.name, column.tags) for column in entity.columns]
    chosen = {name: [c for c in own if any(map(wanted, c[1]))] for name, own in columns.items()}
    return [
        found
        for name, own in chosen.items()
        if own and (not named or name in named)
        for found in _of_relation(connection, name, own, targets)
    ]


def copy_tagged(taken: Snapshot, table: str | None = None) -> None:
    """Copy what `profiles` and `findings` count in a database: of all tables, or of one, what their tags speak of."""
    for one in tagged_tables(taken.connection, "courier"):
        wanted = table in (None, f"{one.schema}.{one.name}")
        taken.copy(one.schema, one.name, [column.name for column in one.columns], rows=wanted)
    for entity in semantic_views(taken.connection):
        if (SCHEMA, entity.name) in taken.types:
            taken.copy(SCHEMA, entity.name, rows=table in (None, entity.relation))


def _targets(connection: Connection, entities: Iterable[Entity]) -> Iterator[tuple[tuple[str, str], str]]:
    """(shopify.customer, id) -> the type that the column has in a view."""
    for entity in entities:
        types = types_of(connection, *entity.relation.split("."))
        for column in entity.columns:
            for origin in column.origins:
                for one in origin.columns:
                    yield (f"{origin.table.schema}.{origin.table.name}", one.name), types.get(column.name, "VARCHAR")


def _of_relation(
    connection: Connection,
    relation: str,
    columns: Sequence[tuple[str, tuple[str, ...]]],
    targets: Mapping[tuple[str, str], str],
) -> Iterator[ColumnProfile]:
    schema, name = relation.split(".", 1)
    types = types_of(connection, schema, name)
    counted = [
        figure
        for column, tags in columns
        for figure in _figures(quote(column), types[column], tags, targets.get((relation, column), types[column]))
    ]
    query = f"SELECT count(*), {', '.join(counted)} FROM {quote(schema)}.{quote(name)}"
    rows, *found = connection.execute(query).fetchone() or ()
    ordered = sorted(enumerate(columns), key=lambda one: list(types).index(one[1][0]))
    for place, (column, tags) in ordered:
        filled, distinct, invalid, unfit = found[4 * place : 4 * place + 4]
        yield ColumnProfile(relation, column, tags, rows, filled, distinct, invalid, unfit)


def _figures(name: str, kind: str, tags: Sequence[str], wanted: str) -> tuple[str, str, str, str]:
    """filled, distinct, invalid, unfit, as SQL."""
    filled = _filled(name, kind)
    form = next((rule for rule in map(_form, tags) if rule), None)
    invalid = f"count_if({filled} AND NOT {form(f'{name}::VARCHAR')})" if form else "NULL"
    unfit = "0" if kind == wanted else f"count_if({name} IS NOT NULL AND TRY_CAST({name} AS {wanted}) IS NULL)"
    return f"count_if({filled})", f"count(DISTINCT {name}) FILTER ({filled})", invalid, unfit


def _filled(name: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f"(coalesce(trim({name}), '') <> '')"
    return f"(coalesce(len({name}), 0) > 0)" if kind.endswith("[]") else f"({name} IS NOT NULL)"


def _form(tag: str) -> Callable[[str], str] | None:
    """The rule for the values of a tag: docs/semantic_views.md says it in words."""
    last = tag.rpartition("/")[2]
    for name, rule in (("email", email_sql), ("phone", phone_sql)):
        if last == name or is_kind_of(tag, name):
            return rule
    return None


def email_sql(value: str) -> str:
    """Whether a text has the form of an e-mail address."""
    return f"regexp_matches({value}, '{_EMAIL}')"


def phone_sql(value: str) -> str:
    """Whether a text has the form of a phone number: 10 to 15 digits."""
    digits = f"length(regexp_replace({value}, '[^0-9]', '', 'g'))"
    return f"(regexp_matches({value}, '{_PHONE}') AND {digits} BETWEEN 10 AND 15)"
