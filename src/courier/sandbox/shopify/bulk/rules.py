"""What a bulk query must look like, in Shopify's words where it is known what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
)

from courier.sandbox.shopify.bulk.plan import Source, is_connection, response_name, selections
from courier.sandbox.shopify.documents import document, schema

MOST_BYTES = 65_535
MOST_CONNECTIONS = 5
MOST_DEPTH = 2


@dataclass(frozen=True)
class Query:
    """A bulk query that keeps the rules: its one root connection, its arguments, and what it selects."""

    source: Source
    name: str
    arguments: dict[str, Any]
    connection: GraphQLNamedType
    selected: tuple[SelectionSetNode, ...]
    fields: frozenset[tuple[str, str]]  # (type, field) of everything selected, to check scopes


class Refused(Exception):
    """Why a bulk query is not run: the messages of `userErrors`."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


@dataclass(frozen=True)
class _Found:
    """A connection in the query. `holder` is the one around it, whose nodes may select `id` without an alias."""

    at: int
    name: str
    depth: int
    in_list: bool
    holder: str
    holder_has_id: bool
    has_nodes: bool


def read(version: str, text: str) -> Query:
    """The query of a text. Raises Refused with every rule that it breaks."""
    if len(text.encode()) > MOST_BYTES:
        raise Refused(f"Query is too large: the limit is {MOST_BYTES} bytes.")
    if not text.strip():
        raise Refused("Invalid bulk query: syntax error, unexpected end of file")
    parsed = document(version, text)
    if parsed.ast is None:
        raise Refused(*(f"Invalid bulk query: {error['message']}" for error in parsed.errors))
    return _checked(version, parsed.ast)


def _checked(version: str, ast: DocumentNode) -> Query:
    operations = [i for i in ast.definitions if isinstance(i, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise Refused("Invalid operation type. Only `query` operations are supported.")
    if operations[0].variable_definitions:
        raise Refused("Bulk queries cannot contain variables.")
    parts = {i.name.value: i for i in ast.definitions if isinstance(i, FragmentDefinitionNode)}
    source = Source(schema(version), parts)
    root = source.schema.query_type
    assert root is not None
    top = source.collect(root, [operations[0].selection_set])
    if len(top) != 1:
        raise Refused("Bulk queries must contain exactly one top-level field.")
    nodes = next(iter(top.values()))
    reader = _Reader(source)
    found = list(dict.fromkeys(reader.below(root, [operations[0].selection_set], "", -1, False, True)))
    problems = list(_problems(nodes[0].name.value, found))
    if problems:
        raise Refused(*problems)
    return _query(source, root, nodes, frozenset(reader.fields))


def _query(
    source: Source, root: GraphQLObjectType, nodes: Sequence[FieldNode], fields: frozenset[tuple[str, str]]
) -> Query:
    field = root.fields[nodes[0].name.value]
    kind = get_named_type(field.type)
    if not is_connection(kind):
        raise Refused("Bulk queries of this server need a connection at the top.")
    arguments = get_argument_values(field, nodes[0])
    return Query(source, nodes[0].name.value, arguments, kind, tuple(selections(nodes)), fields)


class _Reader:
    """Walks a selection; `fields` collects what is selected of which type."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.fields: set[tuple[str, str]] = set()

    def below(
        self,
        owner: GraphQLNamedType,
        selected: Sequence[SelectionSetNode],
        holder: str,
        depth: int,
        in_list: bool,
        has_id: bool,
    ) -> Iterator[_Found]:
        """Every connection below a selection that lies in `depth` connections; `holder` is the one around it."""
        for kind in self.source.kinds(owner):
            for nodes in self.source.collect(kind, selected).values():
                name = nodes[0].name.value
                if name == "__typename":
                    continue
                self.fields.add((kind.name, name))
                yield from self._field(kind, nodes, holder, depth, in_list, has_id)

    def _field(
        self,
        owner: GraphQLObjectType,
        nodes: Sequence[FieldNode],
        holder: str,
        depth: int,
        in_list: bool,
        has_id: bool,
    ) -> Iterator[_Found]:
        name = nodes[0].name.value
        kind, inner = get_named_type(owner.fields[name].type), selections(nodes)
        if not inner:
            return
        if not is_connection(kind):
            listed = in_list or _is_list(owner.fields[name].type)
            yield from self.below(kind, inner, holder, depth, listed, has_id)
            return
        grouped = self.source.collect(kind, inner)
        plain = "nodes" in {i[0].name.value for i in grouped.values()}
        yield _Found(
            nodes[0].loc.start if nodes[0].loc else 0,
            name,
            depth + 1,
            in_list,
            holder,
            has_id,
            plain or "edges" not in grouped,
        )
        yield from self._nodes(kind, inner, name, depth + 1)

    def _nodes(
        self, connection: GraphQLNamedType, selected: Sequence[SelectionSetNode], name: str, depth: int
    ) -> Iterator[_Found]:
        for step in ("edges", "node"):
            if not isinstance(connection, GraphQLObjectType):
                return
            selected = selections(self.source.collect(connection, selected).get(step, []))
            connection = get_named_type(connection.fields[step].type)
        has_id = any(
            response_name(nodes[0]) == "id" == nodes[0].name.value
            for kind in self.source.kinds(connection)
            for nodes in self.source.collect(kind, selected).values()
        )
        yield from self.below(connection, selected, name, depth, False, has_id)


def _is_list(kind: Any) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)


def _problems(top: str, found: Sequence[_Found]) -> Iterator[str]:
    plain = list(dict.fromkeys(i.name for i in found if i.has_nodes))
    if plain:
        yield (
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
            f"'{plain[0]} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
            "Invalid connection fields: " + ", ".join(f"'{name}'" for name in plain) + "."
        )
    if top in ("node", "nodes"):
        yield "Bulk queries cannot contain a top level `node` field."
    if any(i.depth > MOST_DEPTH for i in found):
        yield f"Bulk queries cannot contain connections with a nesting depth greater than {MOST_DEPTH}."
    if len(found) > MOST_CONNECTIONS:
        yield f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    nameless = list(dict.fromkeys(i.holder for i in found if i.depth > 0 and not i.holder_has_id))
    if nameless:
        yield (
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be "
            f"of 'ID' return type. Connection fields without 'id': {', '.join(nameless)}."
        )
    if any(i.in_list for i in found):
        yield "Queries that contain a connection field within a list field are not currently supported."
    if not found:
        yield "Bulk queries must contain at least one connection."
