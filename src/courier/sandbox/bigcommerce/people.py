"""Customers, their addresses, attributes and form fields as /v3/customers tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from courier.sandbox.bigcommerce import ids
from courier.sandbox.bigcommerce.made import AttributeRow, AttributeValueRow, FormFieldRow, attribute_values
from courier.sandbox.bigcommerce.values import Node, number, rfc3339
from courier.sandbox.history.rows import AddressRow, CustomerFamily

EMBEDDED = 10  # the most addresses and attributes that a customer's own record shows
INCLUDES = frozenset(
    {"addresses", "attributes", "storecredit", "formfields", "shopper_profile_id", "segment_ids"},
)


def customer(family: CustomerFamily, include: frozenset[str], fields: Mapping[int | None, list[FormFieldRow]]) -> Node:
    """`fields`: the customer's own form fields under None, its addresses' under their ids."""
    row, identity = family.customer, ids.customer(family.customer.id)
    values = list(attribute_values(row))
    node: Node = {
        "id": identity,
        "email": row.email or "",
        "first_name": row.first_name or "",
        "last_name": row.last_name or "",
        "company": "",
        "phone": row.phone or "",
        "registration_ip_address": f"192.0.2.{identity % 256}" if identity % 2 else "",
        "notes": row.note or "",
        "tax_exempt_category": "E" if row.tax_exempt else "",
        "customer_group_id": identity % 4,
        "date_created": rfc3339(row.created_at),
        "date_modified": rfc3339(row.updated_at),
        "address_count": len(family.addresses),
        "attribute_count": len(values),
        "authentication": {"force_password_reset": row.state == "INVITED"},
        "accepts_product_review_abandoned_cart_emails": identity % 3 == 0,
        "origin_channel_id": 1 + identity % 2,
        "channel_ids": [1, 2] if identity % 2 else [1],
    }
    return {**node, **_included(family, include, fields, values)}


def _included(
    family: CustomerFamily,
    include: frozenset[str],
    fields: Mapping[int | None, list[FormFieldRow]],
    values: list[AttributeValueRow],
) -> Node:
    identity, node = ids.customer(family.customer.id), Node()
    with_fields = "formfields" in include
    if "storecredit" in include:
        node["store_credit_amounts"] = [{"amount": number(family.customer.orders_count * 125)}]
    if "addresses" in include:
        shown = family.addresses[:EMBEDDED]
        node["addresses"] = [address(row, fields if with_fields else None) for row in shown]
    if "attributes" in include:
        shown_values = [attribute_value(value) for value in values[:EMBEDDED]]
        node["attributes"] = [{key: v for key, v in one.items() if "date" not in key} for one in shown_values]
    if with_fields:
        node["form_fields"] = [form_field(field) for field in fields.get(None, ())]
    if "segment_ids" in include:
        node["segment_ids"] = [str(UUID(int=identity % 5))] if identity % 5 else []
    if "shopper_profile_id" in include:
        node["shopper_profile_id"] = str(UUID(int=identity)) if identity % 3 else None
    return node


def address(row: AddressRow, fields: Mapping[int | None, Iterable[FormFieldRow]] | None = None) -> Node:
    identity, place = ids.address(row.id), row.place
    node: Node = {
        "id": identity,
        "customer_id": ids.customer(row.customer_id),
        "first_name": row.first_name or "",
        "last_name": row.last_name or "",
        "company": row.company or "",
        "address1": place.address1 or "",
        "address2": place.address2 or "",
        "city": place.city or "",
        "state_or_province": place.province or "",
        "postal_code": place.zip or "",
        "country": place.country or "",
        "country_code": place.country_code or "",
        "phone": row.phone or "",
        "address_type": "residential" if identity % 4 else "commercial",
    }
    if fields is not None:
        node["form_fields"] = [form_field(field) for field in fields.get(identity, ())]
    return node


def form_field(row: FormFieldRow) -> Node:
    return {"name": row.name, "value": orjson.loads(row.value)}


def form_field_value(row: FormFieldRow) -> Node:
    owner = {"customer_id": None, "address_id": row.address_id} if row.address_id else {"customer_id": row.owner}
    return {**form_field(row), **owner}


def attribute(row: AttributeRow) -> Node:
    created = rfc3339(row.created_at)
    return {"id": row.id, "name": row.name, "type": row.type, "date_created": created, "date_modified": created}


def attribute_value(row: AttributeValueRow) -> Node:
    return {
        "id": row.id,
        "attribute_id": row.attribute_id,
        "attribute_value": row.value,
        "customer_id": row.customer_id,
        "date_created": rfc3339(row.created_at),
        "date_modified": rfc3339(row.updated_at),
    }
