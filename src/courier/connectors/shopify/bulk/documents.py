"""A plan -> the document of its bulk operation, and the streams that its result is split into. Pure.

Shopify takes one root connection, at most five connections in all and two levels of them below the root, nodes as
`edges { node }`, and no connection within a list: such a list is left out but for its ids.
https://shopify.dev/docs/api/usage/bulk-operations/queries
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from courier.config.project import DomainTable, Feed, Source
from courier.connectors.shopify import graph
from courier.connectors.shopify.computed import COMPUTED
from courier.connectors.shopify.document import Field, connections, layout, selection, walk
from courier.storage.raw import Layout
from courier.storage.selection import select

MOST_CONNECTIONS = 5
DEEPEST = 2
_ID = Field("id", None, None, "scalar")


def obstacle(planned: Field, feeds: Sequence[Feed]) -> str:
    """Why the plan cannot be had in bulk, to be read after "cannot be had in bulk: "; "" where it can."""
    root = graph.ROOTS[planned.stream]
    if not root.searchable or root.count is None or root.sort != "UPDATED_AT":
        return f"{root.field} cannot be searched by the time of their change"
    narrow = narrowed(planned)
    if sum(1 for field in walk(narrow) if field.kind == "connection") > MOST_CONNECTIONS:
        return f"it takes more than {MOST_CONNECTIONS} connections"
    if _depth(narrow) > DEEPEST + 1:
        return f"it takes connections more than {DEEPEST} deep"
    found = chain(*(_places(feed.table) for feed in feeds), _shapes(narrow), _lists(planned, feeds))
    return next(found, "")


def _shapes(narrow: Field) -> Iterator[str]:
    for found in connections(narrow).values():
        if len(found.path) > 1:  # whose id `__parentId` is then, Shopify does not say
            yield f"{found.field.stream} is a connection of an object that is no record"


def _lists(planned: Field, feeds: Sequence[Feed]) -> Iterator[str]:
    """Lists with connections must hang on the root record, and only feeds of their own records may read them."""
    for path in left_out(planned):
        root, *names = path.split(".")
        if len(names) > 1:
            yield f"{path} is a list with connections, and not of the root record"
        for feed in feeds:
            asked = select([feed.table], COMPUTED)[root].fields.get(names[0])
            is_below = feed.table.rows.lists[:1] == ((names[0],),)
            if not is_below and asked and asked.fields.keys() - {"id"}:
                yield f"{feed.name} reads {path}, of which a bulk result has only the ids"


def _depth(field: Field) -> int:
    own = 1 if field.kind == "connection" else 0
    return own + max((_depth(child) for child in field.fields), default=0)


def _places(table: DomainTable) -> Iterator[str]:
    """Columns that need to know at which place of its connection a record stands: a bulk result does not say."""
    for column in table.columns:
        for source in column.sources:
            if _needs_place(table, source):
                yield f"{table.name}.{column.name} reads a record by its place in a connection"


def _needs_place(table: DomainTable, source: Source) -> bool:
    lists = table.rows.lists[: len(table.rows.lists) - source.climb]
    above = [name for names in lists for name in names]
    if source.kind == "index":
        return bool(above) and _is_connection(table.rows.root, above)
    if source.kind != "field":
        return False
    steps = [*above, *(step.name for step in source.steps)]
    picked = [len(above) + place for place, step in enumerate(source.steps, 1) if step.index is not None]
    return any(_is_connection(table.rows.root, steps[:end]) for end in picked)


def _is_connection(root: str, names: Sequence[str]) -> bool:
    *_, (owner, name, _type) = graph.walk(root, names)
    found = graph.link(owner, name)
    return bool(found and found.first)


def narrowed(field: Field) -> Field:
    """The plan without what no column asked for, and without the lists that hold connections, of which ids stay."""
    kept = []
    for child in field.fields:
        if child.kind == "list" and child.stream:
            kept.append(replace(child, fields=(replace(_ID, owner=child.type),), stream=""))
        elif not child.internal or child.name == "id":
            kept.append(narrowed(child))
    return replace(field, fields=tuple(kept))


def left_out(planned: Field) -> tuple[str, ...]:
    """The lists whose records have to be paged: `Order.refunds`."""
    found = [field.stream for field in walk(planned) if field.kind == "list" and field.stream]
    return tuple(path for path in found if not any(path.startswith(f"{other}.") for other in found))


def bulk_layout(planned: Field, fetched_at: str) -> Layout:
    """How the result of an operation made at `fetched_at` lies in streams."""
    return replace(layout(narrowed(planned)), fetched_at=fetched_at, left_out=left_out(planned))


def bulk_document(planned: Field, query: str | None) -> str:
    """The document, without its marker. Nodes begin with `__typename`, by which their lines are told apart.

    `id` and the lists that are left out come next: of most root lines nothing more is read to know them.
    """
    root = graph.ROOTS[planned.stream]
    arguments = [f"query: {_literal(query)}"] if query else []
    arguments = [*arguments, f"sortKey: {root.sort}"]
    return f"{{ {root.field}({', '.join(arguments)}) {{ edges {{ node {{ {_node(narrowed(planned))} }} }} }} }}"


def _node(field: Field) -> str:
    named = sorted(field.fields, key=_place)  # the others stay in their order
    rest = replace(field, fields=tuple(child for child in named if child.name != "__typename"))
    return f"__typename {selection(rest, _text)}"


def _place(field: Field) -> int:
    only_ids = field.kind == "list" and [child.name for child in field.fields] == ["id"]
    return 0 if field.name == "id" else 1 if only_ids else 2


def _text(field: Field) -> str:
    if field.kind in ("scalar", "scalars"):
        return field.name
    if field.kind == "connection":
        return f"{field.name} {{ edges {{ node {{ {_node(field)} }} }} }}"
    return f"{field.name} {{ {selection(field, _text)} }}"


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
