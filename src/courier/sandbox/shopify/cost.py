"""What a query costs, by the formula that was fitted to recorded answers (Shopify's documentation has no formula).

scalar 0 · object 1 + children · list of objects 1 + children, never multiplied
connection of n: 2 + f(n) * (1 + its nodes' children), f(n) = max(1, floor(2 ln n)), f(0) = 0
interface, union: the dearest of its types · *Count at the root 10 · mutation 10 · never less than 1
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)

FREE = frozenset(
    {
        "MoneyBag",
        "MoneyV2",
        "PageInfo",
        "LocationAddress",
        "ShopAddress",
        "Weight",
        "InventoryItemMeasurement",
        "ShippingLine",
    }
)
FREE_FIELDS = frozenset({("Customer", "defaultAddress")})
COUNT = MUTATION = 10


def page_factor(size: int) -> int:
    """1 2 3 5 10 20 50 100 200 250 -> 1 1 2 3 4 5 7 9 10 11."""
    return max(1, math.floor(2 * math.log(size))) if size > 0 else 0


@dataclass
class _Reader:
    """One operation's selections. `returned` gives how many nodes a root connection gave, for the actual cost."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    defaults: Mapping[str, Any]
    returned: Callable[[str], int | None]

    def children(self, owner: GraphQLNamedType, selections: list[SelectionSetNode], root: bool = False) -> float:
        if isinstance(owner, (GraphQLInterfaceType, GraphQLUnionType)):
            kinds = self.schema.get_possible_types(owner)
            return max((self._own(kind) + self.children(kind, selections) for kind in kinds), default=0)
        assert isinstance(owner, GraphQLObjectType)
        merged: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(owner, selection, merged)
        return sum(self._field(owner, nodes, root) for nodes in merged.values())

    def _own(self, kind: GraphQLObjectType) -> int:
        return 0 if kind.name in FREE else 1

    def _collect(self, owner: GraphQLObjectType, selected: SelectionSetNode, found: dict[str, list[FieldNode]]) -> None:
        for node in selected.selections:
            if isinstance(node, FieldNode):
                found.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                continue
            part = self.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            assert isinstance(part, (FragmentDefinitionNode, InlineFragmentNode))
            if part.type_condition is None or self._applies(part.type_condition.name.value, owner):
                self._collect(owner, part.selection_set, found)

    def _applies(self, name: str, owner: GraphQLObjectType) -> bool:
        condition = self.schema.type_map.get(name)
        if isinstance(condition, (GraphQLInterfaceType, GraphQLUnionType)):
            return self.schema.is_sub_type(condition, owner)
        return name == owner.name

    def _field(self, owner: GraphQLObjectType, nodes: list[FieldNode], root: bool) -> float:
        name = nodes[0].name.value
        definition = owner.fields.get(name)
        if definition is None:  # __typename and the like
            return 0
        kind = get_named_type(definition.type)
        selections = [node.selection_set for node in nodes if node.selection_set]
        if is_leaf_type(kind) or not selections:
            return 0
        if root and name.endswith("Count"):
            return COUNT
        if kind.name.endswith("Connection"):
            response = nodes[0].alias.value if nodes[0].alias else name
            return self._connection(kind, nodes[0], selections, self.returned(response) if root else None)
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            return self.children(kind, selections)
        free = kind.name in FREE or (owner.name, name) in FREE_FIELDS
        return (0 if free else 1) + self.children(kind, selections)

    def _connection(
        self, kind: GraphQLNamedType, node: FieldNode, selections: list[SelectionSetNode], returned: int | None
    ) -> float:
        assert isinstance(kind, GraphQLObjectType)
        size = self._size(node)
        factor = float(page_factor(size))
        if returned:
            factor *= min(1.0, returned / size)
        merged: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(kind, selection, merged)
        total = 0.0
        for nodes in merged.values():
            name = nodes[0].name.value
            inner = [i.selection_set for i in nodes if i.selection_set]
            if name in ("nodes", "edges") and inner:
                total += factor * (1 + self._items(kind, name, inner))
        return 2 + total

    def _items(self, kind: GraphQLObjectType, name: str, selections: list[SelectionSetNode]) -> float:
        item = get_named_type(kind.fields[name].type)
        if name == "nodes":
            return self._below(item, selections)
        assert isinstance(item, GraphQLObjectType)
        merged: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(item, selection, merged)
        inner = [i.selection_set for i in merged.get("node", []) if i.selection_set]
        return self._below(get_named_type(item.fields["node"].type), inner)

    def _below(self, item: GraphQLNamedType, selections: list[SelectionSetNode]) -> float:
        if isinstance(item, (GraphQLInterfaceType, GraphQLUnionType)):
            return max(self.children(kind, selections) for kind in self.schema.get_possible_types(item))
        return self.children(item, selections)

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                name = getattr(getattr(value, "name", None), "value", None)
                found = self.variables.get(name, self.defaults.get(name)) if name else getattr(value, "value", 0)
                return int(found) if str(found).isdigit() else 0
        return 0


def _nothing(response: str) -> int | None:
    return None


def query_cost(
    schema: GraphQLSchema,
    ast: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    returned: Callable[[str], int | None] = _nothing,
) -> int:
    """Points of one operation. With `returned`, the root connections count as far as they were filled."""
    if operation.operation is OperationType.MUTATION:
        return MUTATION
    fragments = {i.name.value: i for i in ast.definitions if isinstance(i, FragmentDefinitionNode)}
    defaults = {
        i.variable.name.value: getattr(i.default_value, "value", None) for i in operation.variable_definitions or ()
    }
    reader = _Reader(schema, fragments, variables, defaults, returned)
    assert schema.query_type is not None
    return max(1, math.ceil(reader.children(schema.query_type, [operation.selection_set], root=True)))
