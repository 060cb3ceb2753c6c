"""A selection of fields -> the GraphQL documents that fetch it, and the streams that its records lie in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from courier.connectors.shopify import graph
from courier.errors import ConfigurationError
from courier.storage.raw import Layout
from courier.storage.selection import Node

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"


@dataclass(frozen=True)
class Field:
    """A field of the query. `stream` names the stream of its records, where it has one of its own.

    `first` is how many records of an inner connection come with the record above them. `internal`: no column asked
    for it, so that it is not written down.
    """

    name: str
    owner: str | None  # the type that it is a field of
    type: str | None  # the type that it leads to, None for scalars and what is not known
    kind: Literal["scalar", "scalars", "object", "list", "connection"]
    fields: tuple[Field, ...] = ()
    first: int = 0
    stream: str = ""
    internal: bool = False

    @cached_property
    def paged(self) -> tuple[Field, ...]:
        """The fields that have a connection in them, at any depth: the others need no look."""
        return tuple(child for child in self.fields if child.kind == "connection" or child.paged)

    @cached_property
    def taken_out(self) -> tuple[Field, ...]:
        """The fields that do not stay in the record's line as they are, or have such fields in them."""
        return tuple(child for child in self.fields if child.internal or child.stream or child.taken_out)


@dataclass(frozen=True)
class Connection:
    """An inner connection: it hangs at `path` below a record of `holder`, which has an `id`."""

    field: Field
    holder: Field
    path: tuple[str, ...]


def plan(root: str, node: Node) -> Field:
    """The root connection with everything asked for. Root records always have `id` and `updatedAt`."""
    kind = graph.ROOTS[root]
    fields = _fields(root, node, root)
    planned = Field(kind.field, None, root, "connection", fields, stream=root)
    return _with_scalars(_identified(planned), "id", "updatedAt")


def _fields(owner: str | None, node: Node, path: str) -> tuple[Field, ...]:
    return tuple(_field(owner, name, child, f"{path}.{name}") for name, child in node.fields.items())


def _field(owner: str | None, name: str, node: Node, path: str) -> Field:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"`{name}` cannot be the name of a field", fix="correct the column's `from`")
    link = graph.link(owner, name)
    type_ = link.type if link else None
    fields = _fields(type_, node, path)
    if link and link.first:
        connection = Field(name, owner, type_, "connection", fields, link.first, stream=path)
        return _identified(connection)
    if not fields:
        listed = node.is_list or f"{owner}.{name}" in graph.SCALAR_LISTS
        return Field(name, owner, type_, "scalars" if listed else "scalar")
    if not node.is_list:
        return Field(name, owner, type_, "object", fields)
    own = path if any(_has_stream(field) for field in fields) else ""
    return _identified(Field(name, owner, type_, "list", fields, stream=own))


def _has_stream(field: Field) -> bool:
    return bool(field.stream) or any(_has_stream(child) for child in field.fields)


def _identified(field: Field) -> Field:
    """Records that have records below them need an `id`; a selection must not be empty."""
    if any(_has_stream(child) for child in field.fields):
        return _with_scalars(field, "id")
    return field if field.fields else _with_scalars(field, "__typename")


def _with_scalars(field: Field, *names: str) -> Field:
    present = {child.name for child in field.fields}
    added = tuple(
        Field(name, field.type, None, "scalar", internal=name != "id") for name in names if name not in present
    )
    return replace(field, fields=(*added, *field.fields))


def layout(planned: Field) -> Layout:
    """The streams of a plan, the root first, and its lists of scalars by path."""
    streams = [field.stream for field in walk(planned) if field.stream]
    return Layout(tuple(streams), tuple(sorted(_scalar_lists(planned, planned.stream))))


def walk(field: Field) -> Iterator[Field]:
    yield field
    for child in field.fields:
        yield from walk(child)


def _scalar_lists(field: Field, path: str) -> Iterator[str]:
    for child in field.fields:
        here = f"{path}.{child.name}"
        if child.kind == "scalars":
            yield here
        yield from _scalar_lists(child, here)


def connections(planned: Field) -> dict[str, Connection]:
    """The inner connections by their stream's name."""
    return {found.field.stream: found for found in _connections(planned, planned, ())}


def _connections(holder: Field, at: Field, path: tuple[str, ...]) -> Iterator[Connection]:
    for child in at.fields:
        here = (*path, child.name)
        if child.kind == "connection":
            yield Connection(child, holder, here)
        if child.stream:
            yield from _connections(child, child, ())
        elif child.kind == "object":
            yield from _connections(holder, child, here)


def page_document(planned: Field, sort: str) -> str:
    """One page of root records: variables $first, $after and, where the root can be searched, $query."""
    root = graph.ROOTS[planned.stream]
    return _page(f"{root.type}Page", root, sort, _selection(planned))


def ids_document(root: graph.Root, sort: str) -> str:
    """A page of root records with nothing but their identity: for the sweep that looks for missed ones."""
    return _page(f"{root.type}Ids", root, sort, "id updatedAt")


def newest_document(root: graph.Root) -> str:
    """A page of the identities of all root records, those that changed last first."""
    declared, passed = "$first: Int!, $after: String", "first: $first, after: $after"
    return (
        f"query {root.type}Newest({declared}) {{ {root.field}({passed}, sortKey: {root.sort}, reverse: true) "
        f"{{ nodes {{ id updatedAt }} {_PAGE_INFO} }} }}"
    )


def _page(name: str, root: graph.Root, sort: str, selection: str) -> str:
    declared, passed = "$first: Int!, $after: String", "first: $first, after: $after"
    if root.searchable:
        declared, passed = f"{declared}, $query: String", f"{passed}, query: $query"
    if root.arguments:
        passed = f"{passed}, {root.arguments}"
    return (
        f"query {name}({declared}) {{ {root.field}({passed}, sortKey: {sort}) "
        f"{{ nodes {{ {selection} }} {_PAGE_INFO} }} }}"
    )


def record_document(planned: Field) -> str:
    """One root record, whole, by $id; null where it is gone."""
    return (
        f"query {planned.stream}Record($id: ID!) {{ node(id: $id) {{ ... on {planned.type} "
        f"{{ {_selection(planned)} }} }} }}"
    )


def drain_document(planned: Field, connection: Connection) -> str:
    """A further page of an inner connection: $id is its holder, $root the root record, whose version comes along."""
    field = connection.field
    inner = f"{field.name}(first: $first, after: $after) {{ nodes {{ {_selection(field)} }} {_PAGE_INFO} }}"
    for name in reversed(connection.path[:-1]):
        inner = f"{name} {{ {inner} }}"
    name = field.stream.replace(".", "")
    return (
        f"query {name}Drain($id: ID!, $root: ID!, $first: Int!, $after: String) {{ "
        f"root: node(id: $root) {{ ... on {planned.type} {{ id updatedAt }} }} "
        f"holder: node(id: $id) {{ id ... on {connection.holder.type} {{ {inner} }} }} }}"
    )


def count_document(root: graph.Root) -> str:
    """How many records the filter $query matches. Without `limit: null` counting ends at 10,000."""
    return (
        f"query {root.type}Count($query: String) {{ {root.count}(query: $query, limit: null) {{ count precision }} }}"
    )


def listed_document(planned: Field) -> str:
    """Up to 250 root records by $ids, null where they are gone."""
    return (
        f"query {planned.stream}List($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {planned.type} "
        f"{{ {_selection(planned)} }} }} }}"
    )


def probe_document(root: graph.Root) -> str:
    """Whether up to 250 records still exist, and in which version."""
    return f"query {root.type}Probe($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on {root.type} {{ updatedAt }} }} }}"


def _selection(field: Field) -> str:
    return selection(field, text)


def selection(field: Field, written: Callable[[Field], str]) -> str:
    """The fields of a field, each as `written` says; those of a member of an interface in a fragment."""
    members = graph.MEMBERS.get(field.type or "", {})
    parts = [written(child) for child in field.fields if child.name not in members]
    for member, owned in _by_member(field.fields, members):
        parts.append(f"... on {member} {{ {' '.join(written(child) for child in owned)} }}")
    return " ".join(parts)


def _by_member(fields: Sequence[Field], members: Mapping[str, tuple[str, ...]]) -> list[tuple[str, list[Field]]]:
    found: dict[str, list[Field]] = {}
    for field in fields:
        for member in members.get(field.name, ()):
            found.setdefault(member, []).append(field)
    return list(found.items())


def text(field: Field) -> str:
    """A field of a paged document."""
    if field.kind in ("scalar", "scalars"):
        return field.name
    inner = _selection(field)
    if field.kind == "connection":
        return f"{field.name}(first: {field.first}) {{ nodes {{ {inner} }} {_PAGE_INFO} }}"
    return f"{field.name} {{ {inner} }}"
