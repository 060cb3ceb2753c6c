"""Which fields of which records the domain tables ask for. The connector makes a query of it, shape its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from courier.config.project import DomainTable, Source


@dataclass(frozen=True)
class Computed:
    """A value that a connector publishes: `computed.<name>` in a domain table.

    rows:  the row path that it belongs to, `Order` or `Order.discountCodes[]`
    reads: paths that it needs fetched, `Order.lineItems[].originalTotalSet.shopMoney.amount`; `[]` marks lists
    sql:   a query over streams, written `{Order.lineItems}`, whose columns are `__record`, `__parentId`, `__index` and
           the fields read, as text (objects as structs, lists as lists). It returns `__record`, `result` and, for rows
           below the root record, `key`: the row's `$value`. At most one row per `__record` (and `key`).
    meaning: one sentence for the reference page
    """

    name: str
    rows: str
    reads: tuple[str, ...]
    sql: str
    meaning: str


@dataclass
class Node:
    """A field that is asked for: a scalar when `fields` is empty, a list when `is_list`, anything when `is_json`."""

    is_list: bool = False
    fields: dict[str, Node] = field(default_factory=dict)
    is_json: bool = False

    def at(self, names: Iterable[str]) -> Node:
        """The node below, made if it is not there yet."""
        node = self
        for name in names:
            node = node.fields.setdefault(name, Node())
        return node


def select(
    tables: Sequence[DomainTable], computed: Sequence[Computed] = (), lists: Iterable[str] = ()
) -> dict[str, Node]:
    """Root record type -> what the tables, and the computed values that they use, need of it.

    `lists` names fields known to hold lists of scalars, `Order.tags`; they are marked when they are asked for.
    """
    roots: dict[str, Node] = {}
    published = {value.name: value for value in computed}
    for table in tables:
        _select_table(roots, table, published)
    for path in lists:
        root, *names = path.split(".")
        _mark_list(roots.get(root), names)
    return roots


def _select_table(roots: dict[str, Node], table: DomainTable, published: dict[str, Computed]) -> None:
    root = roots.setdefault(table.rows.root, Node())
    row = root
    for names in table.rows.lists:
        row = row.at(names)
        row.is_list = True
    for column in table.columns:
        for source in column.sources:
            if source.kind == "field":
                _select_source(roots, table, source, is_json=column.type.name == "json")
            elif source.kind == "computed" and source.steps[0].name in published:
                for path in published[source.steps[0].name].reads:
                    select_path(roots, path)


def _select_source(roots: dict[str, Node], table: DomainTable, source: Source, *, is_json: bool) -> None:
    node = roots[table.rows.root]
    for names in table.rows.lists[: len(table.rows.lists) - source.climb]:
        node = node.at(names)
    for step in source.steps:
        node = node.at([step.name])
        node.is_list = node.is_list or step.index is not None
    node.is_list = node.is_list or source.is_list
    node.is_json = node.is_json or is_json


def select_path(roots: dict[str, Node], path: str) -> None:
    """Ask for one path from its root, `Order.lineItems[].discountAllocations[].amount`."""
    root, *names = path.split(".")
    node = roots.setdefault(root, Node())
    for name in names:
        node = node.at([name.removesuffix("[]")])
        node.is_list = node.is_list or name.endswith("[]")


def _mark_list(node: Node | None, names: Sequence[str]) -> None:
    for name in names:
        node = node.fields.get(name) if node else None
    if node:
        node.is_list = True


def identity_of(table: DomainTable) -> DomainTable:
    """The table with nothing but what identifies a row and its version: what children need of their parent."""
    wanted = {*table.primary_key, table.last_updated}
    return replace(table, columns=tuple(column for column in table.columns if column.name in wanted))
