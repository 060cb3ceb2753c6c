"""Validation errors in the words of Shopify's own GraphQL server, which is not graphql-core."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
)

Translation = tuple[str, dict[str, Any]]


def _undefined_field(field: str, owner: str) -> Translation:
    message = f"Field '{field}' doesn't exist on type '{owner}'"
    return message, {"code": "undefinedField", "typeName": owner, "fieldName": field}


def _unknown_argument(argument: str, owner: str, field: str) -> Translation:
    message = f"Field '{field}' doesn't accept argument '{argument}'"
    return message, {
        "code": "argumentNotAccepted",
        "name": field,
        "typeName": "Field",
        "argumentName": argument,
    }


def _missing_argument(owner: str, field: str, argument: str) -> Translation:
    message = f"Field '{field}' is missing required arguments: {argument}"
    extensions = {"code": "missingRequiredArguments", "className": "Field", "name": field, "arguments": argument}
    return message, extensions


def _no_selection(field: str, owner: str) -> Translation:
    bare = owner.strip("[]!")
    message = (
        f"Field must have selections (field '{field}' returns {bare} but has no selections. "
        f"Did you mean '{field} {{ ... }}'?)"
    )
    return message, {"code": "selectionMismatch", "nodeName": f"field '{field}'", "typeName": bare}


def _leaf_selection(field: str, owner: str) -> Translation:
    bare = owner.strip("[]!")
    message = f"Selections can't be made on scalars (field '{field}' returns {bare} but has selections)"
    return message, {"code": "selectionMismatch", "nodeName": f"field '{field}'", "typeName": bare}


def _unused_variable(name: str, operation: str = "anonymous query") -> Translation:
    message = f"Variable ${name} is declared by {operation} but not used"
    return message, {"code": "variableNotUsed", "variableName": name}


def _undefined_variable(name: str, operation: str = "anonymous query") -> Translation:
    message = f"Variable ${name} is used by {operation} but not declared"
    return message, {"code": "variableNotDefined", "variableName": name}


def _unknown_type(name: str) -> Translation:
    return f"No such type {name}, so it can't be a fragment condition", {"code": "undefinedType", "typeName": name}


_RULES: tuple[tuple[str, Callable[..., Translation]], ...] = (
    (r"Cannot query field '(\w+)' on type '(\w+)'\.", _undefined_field),
    (r"Unknown argument '(\w+)' on field '(\w+)\.(\w+)'\.", _unknown_argument),
    (r"Argument '(?:(\w+)\.)?(\w+)\((\w+):\)' of type '.*' is required", _missing_argument),
    (r"Field '(\w+)' argument '(\w+)' of type '.*' is required", lambda f, a: _missing_argument("", f, a)),
    (r"Field '(\w+)' of type '(.+?)' must have a selection of subfields", _no_selection),
    (r"Field '(\w+)' must not have a selection since type '(.+?)' has no subfields", _leaf_selection),
    (r"Variable '\$(\w+)' is never used in operation '(\w+)'", _unused_variable),
    (r"Variable '\$(\w+)' is never used", _unused_variable),
    (r"Variable '\$(\w+)' is not defined by operation '(\w+)'", _undefined_variable),
    (r"Variable '\$(\w+)' is not defined", _undefined_variable),
    (r"Unknown type '(\w+)'", _unknown_type),
)


def as_shopify_says(error: GraphQLError, ast: DocumentNode | None) -> dict[str, object]:
    """The error as an item of `errors`: message, locations, path of names from the operation, extensions."""
    message, extensions = _translate(error.message)
    found: dict[str, object] = {"message": message}
    if error.locations:
        found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if ast is not None and error.nodes:
        found["path"] = _path(ast, error.nodes[0])
    if extensions:
        found["extensions"] = extensions
    return found


def _translate(message: str) -> Translation:
    for pattern, say in _RULES:
        match = re.match(pattern, message)
        if match:
            return say(*match.groups())
    return message, {"code": "parseError"} if message.startswith("Syntax Error") else {}


def _path(ast: DocumentNode, wanted: Node) -> list[str]:
    for definition in ast.definitions:
        found = _below(definition, wanted)
        if found is not None:
            return found
    return []


def _below(node: Node, wanted: Node) -> list[str] | None:
    """Names from `node` down to the one in error, which may be an argument or a variable of a named node."""
    if node is wanted:
        return _name(node)
    for child in _children(node):
        found = _below(child, wanted)
        if found is not None:
            return _name(node) + found
    return None


def _children(node: Node) -> list[Node]:
    found: list[Node] = []
    for key in node.keys:
        value = getattr(node, key, None)
        found.extend(i for i in (value if isinstance(value, (list, tuple)) else (value,)) if isinstance(i, Node))
    return found


def _name(node: Node) -> list[str]:
    if isinstance(node, OperationDefinitionNode):
        kind = node.operation.value
        return [f"{kind} {node.name.value}" if node.name else kind]
    if isinstance(node, FragmentDefinitionNode):
        return [f"fragment {node.name.value}"]
    if isinstance(node, InlineFragmentNode):
        return [f"... on {node.type_condition.name.value}"] if node.type_condition else ["..."]
    return [node.alias.value if node.alias else node.name.value] if isinstance(node, FieldNode) else []
