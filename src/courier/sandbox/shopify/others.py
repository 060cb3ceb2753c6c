"""What the shop answers for fields that it has nothing for, but that the published schema says are never null.

Only for the fields of `schema/others_2026-10.graphql`; with any other a missing value stays the error that it is.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    Undefined,
    parse,
)

OTHERS_FILE = "schema/others_2026-10.graphql"
DEPTH = 4
_SCALARS = {
    "Boolean": False,
    "DateTime": "2020-01-01T00:00:00Z",
    "Decimal": "0.0",
    "Float": 0.0,
    "ID": "gid://shopify/Nothing/0",
    "Int": 0,
    "Money": "0.00",
    "UnsignedInt64": "0",
    "URL": "https://shop.example.com/",
}
_Definition = (InterfaceTypeDefinitionNode, ObjectTypeDefinitionNode, ObjectTypeExtensionNode)


def others_text() -> str:
    return resources.files("courier.sandbox.shopify").joinpath(OTHERS_FILE).read_text("utf-8")


@cache
def other_fields() -> frozenset[tuple[str, str]]:
    """(type, field) of all that the file adds."""
    found = (i for i in parse(others_text(), no_location=True).definitions if isinstance(i, _Definition))
    return frozenset((owner.name.value, field.name.value) for owner in found for field in owner.fields or ())


@cache
def stand_in(owner: GraphQLObjectType | GraphQLInterfaceType, name: str) -> Any:
    """One of those fields where a record has no value; Undefined for all others, and where null may be."""
    field: GraphQLField | None = owner.fields.get(name)
    if field is None or not isinstance(field.type, GraphQLNonNull) or (owner.name, name) not in other_fields():
        return Undefined
    return _nothing(field.type.of_type, DEPTH)


def _nothing(
    kind: GraphQLScalarType
    | GraphQLEnumType
    | GraphQLObjectType
    | GraphQLInterfaceType
    | GraphQLUnionType
    | GraphQLInputObjectType
    | GraphQLList[Any],
    depth: int,
) -> Any:
    """The emptiest value of a type that is not null."""
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLScalarType):
        return _SCALARS.get(kind.name, "")
    if not isinstance(kind, GraphQLObjectType) or not depth:
        return None
    return {"__typename": kind.name, **_needed(kind, depth - 1)}


def _needed(kind: GraphQLObjectType, depth: int) -> dict[str, Any]:
    needed = {name: field.type.of_type for name, field in kind.fields.items() if isinstance(field.type, GraphQLNonNull)}
    return {name: _nothing(inner, depth) for name, inner in needed.items() if not inner_is_connection(inner)}


def inner_is_connection(kind: Any) -> bool:
    """Connections are made by the records that have them; a record without one has an empty page."""
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection")
