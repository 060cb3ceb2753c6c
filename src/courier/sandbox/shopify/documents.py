"""Schemas by version, and documents parsed and validated against them, each once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from importlib import resources

from graphql import DocumentNode, GraphQLError, GraphQLObjectType, GraphQLSchema, build_schema, parse, validate

from courier.sandbox.shopify.messages import as_shopify_says
from courier.sandbox.shopify.others import others_text
from courier.sandbox.shopify.versions import missing_fields

SCHEMA_FILE = "schema/admin_2026-10.graphql"
REMEMBERED = 512


@dataclass(frozen=True)
class Document:
    """A parsed document, or the errors that keep it from running."""

    ast: DocumentNode | None
    errors: tuple[dict[str, object], ...] = ()


@cache
def schema(version: str) -> GraphQLSchema:
    """The vendored subset, less the fields that `version` does not have yet."""
    text = resources.files("courier.sandbox.shopify").joinpath(SCHEMA_FILE).read_text("utf-8") + others_text()
    # Validating the schema itself costs 60 ms and reports deprecated implementations of Node.id.
    built = build_schema(text, assume_valid=True, no_location=True)
    for type_name, names in missing_fields(version).items():
        owner = built.type_map[type_name]
        assert isinstance(owner, GraphQLObjectType)
        for name in names:
            del owner.fields[name]
    return built


_documents: OrderedDict[tuple[str, str], Document] = OrderedDict()


def document(version: str, text: str) -> Document:
    found = _documents.get((version, text))
    if found is None:
        found = _documents[(version, text)] = _read(version, text)
        if len(_documents) > REMEMBERED:
            _documents.popitem(last=False)
    return found


def _read(version: str, text: str) -> Document:
    try:
        ast = parse(text)
    except GraphQLError as error:
        return Document(None, (as_shopify_says(error, None),))
    errors = validate(schema(version), ast)
    return Document(ast if not errors else None, tuple(as_shopify_says(error, ast) for error in errors))
