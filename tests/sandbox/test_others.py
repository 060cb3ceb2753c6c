"""Fields that only other clients ask for: part of the schema, never null where the schema says so."""

from __future__ import annotations

from importlib import resources

from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

from courier.sandbox.shopify.documents import SCHEMA_FILE
from courier.sandbox.shopify.others import other_fields
from tests.sandbox.client import Client

FIELDS = {
    "customers": "id email displayName taxExemptions validEmailAddress addresses(first: 2) { id name countryCode }",
    "orders": """id edited taxLines { rate } merchantBusinessEntity { id address { countryCode } companyName }
        totalReceivedSet { presentmentMoney { amount currencyCode } } shippingLine { custom } shippingAddress { city }
        lineItems(first: 1) { nodes { id discountedTotalSet { shopMoney { amount } } taxLines { rate } } }""",
    "products": """id description totalInventory options { id name values optionValues { name } } media(first: 1) {
        edges { node { id } } } priceRangeV2 { maxVariantPrice { amount } } variantsCount { count } category { id }""",
}


def test_no_field_is_there_twice() -> None:
    """Law: the second schema file only adds."""
    text = resources.files("courier.sandbox.shopify").joinpath(SCHEMA_FILE).read_text("utf-8")
    known = build_schema(text, assume_valid=True).type_map
    for type_name, field in other_fields():
        owner = known.get(type_name)
        assert not isinstance(owner, (GraphQLObjectType, GraphQLInterfaceType)) or field not in owner.fields


def test_they_are_answered(reading: Client) -> None:
    """Law: no error, whatever the shop lacks; what can be told of the records is told."""
    for name, fields in FIELDS.items():
        nodes = reading.data(f"{{ {name}(first: 20) {{ nodes {{ {fields} }} }} }}")[name]["nodes"]
        assert len(nodes) > 10
        for node in nodes:
            assert node.get("taxExemptions", []) == node.get("taxLines", []) == []
    products = reading.sandbox.shop.history.products
    for node in nodes:
        family = products[int(node["id"].rsplit("/", 1)[1])]
        assert node["variantsCount"]["count"] == len(family.variants)
        assert [i["name"] for i in node["options"]] == list(family.variants[0].option_names if family.variants else ())
