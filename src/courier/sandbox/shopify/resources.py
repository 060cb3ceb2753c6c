"""The record types that can be listed: how each is found, searched and sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from courier.sandbox.history.rows import EventRow, LocationRow, VariantRow
from courier.sandbox.shopify.checkout_nodes import checkout_node
from courier.sandbox.shopify.nodes import customer_node, event_node, location_node, product_node, variant_node
from courier.sandbox.shopify.order_nodes import order_node
from courier.sandbox.shopify.search import Field
from courier.sandbox.shopify.values import Node
from courier.sandbox.shopify.view import View


@dataclass(frozen=True)
class Resource:
    """`rows` lists what a view may see; `keys` are sort values by sort key, `default` the schema's own sort key.

    `current` is the row of another state of the shop as a view sees it, or None.
    """

    type_name: str
    rows: Callable[[View], Iterable[Any]]
    node: Callable[[Any, View], Node]
    identity: Callable[[Any], int]
    keys: dict[str, Callable[[Any], int | str]]
    default: str
    fields: dict[str, Field]
    current: Callable[[Any, View], Any]


def _text(read: Callable[[Any], Any]) -> Field:
    return Field("text", read)


def _bool(read: Callable[[Any], bool]) -> Field:
    return Field("text", lambda row: "true" if read(row) else "false")


CUSTOMERS = Resource(
    "Customer",
    rows=lambda view: view.history.customers.values(),
    node=customer_node,
    identity=lambda i: i.customer.id,
    keys={
        "ID": lambda i: i.customer.id,
        "UPDATED_AT": lambda i: i.customer.updated_at,
        "CREATED_AT": lambda i: i.customer.created_at,
        "NAME": lambda i: f"{i.customer.last_name}, {i.customer.first_name}",
    },
    default="ID",
    fields={
        "id": Field("number", lambda i: i.customer.id),
        "updated_at": Field("day", lambda i: i.customer.updated_at),
        "created_at": Field("time", lambda i: i.customer.created_at),
        "customer_date": Field("time", lambda i: i.customer.created_at),
        "orders_count": Field("number", lambda i: i.customer.orders_count),
        "email": _text(lambda i: i.customer.email),
        "first_name": _text(lambda i: i.customer.first_name),
        "last_name": _text(lambda i: i.customer.last_name),
        "phone": _text(lambda i: i.customer.phone),
        "state": _text(lambda i: i.customer.state),
        "tag": Field("tags", lambda i: i.customer.tags),
    },
    current=lambda row, view: view.history.customers.get(row.customer.id),
)
ORDERS = Resource(
    "Order",
    rows=lambda view: (family for family in view.history.orders.values() if view.sees(family)),
    node=order_node,
    identity=lambda i: i.order.id,
    keys={
        "ID": lambda i: i.order.id,
        "UPDATED_AT": lambda i: i.order.updated_at,
        "CREATED_AT": lambda i: i.order.created_at,
        "PROCESSED_AT": lambda i: i.order.processed_at,
        "ORDER_NUMBER": lambda i: i.order.number,
        "TOTAL_PRICE": lambda i: i.order.total_price,
    },
    default="PROCESSED_AT",
    fields={
        "id": Field("number", lambda i: i.order.id),
        "updated_at": Field("time", lambda i: i.order.updated_at),
        "created_at": Field("time", lambda i: i.order.created_at),
        "processed_at": Field("time", lambda i: i.order.processed_at),
        "customer_id": Field("number", lambda i: i.order.customer_id),
        "name": _text(lambda i: i.order.name),
        "email": _text(lambda i: i.order.email),
        "financial_status": _text(lambda i: i.order.financial_status),
        "fulfillment_status": _text(lambda i: i.order.fulfillment_status),
        "source_name": _text(lambda i: i.order.source_name),
        "discount_code": Field("tags", lambda i: i.order.discount_codes),
        "status": _text(lambda i: "cancelled" if i.order.cancelled_at else "closed" if i.order.closed_at else "open"),
        "test": _bool(lambda i: i.order.test),
        "tag": Field("tags", lambda i: i.order.tags),
    },
    current=lambda row, view: view.order_family(row.order.id),
)
PRODUCTS = Resource(
    "Product",
    rows=lambda view: view.history.products.values(),
    node=product_node,
    identity=lambda i: i.product.id,
    keys={
        "ID": lambda i: i.product.id,
        "UPDATED_AT": lambda i: i.product.updated_at,
        "CREATED_AT": lambda i: i.product.created_at,
        "TITLE": lambda i: i.product.title,
        "VENDOR": lambda i: i.product.vendor,
        "PRODUCT_TYPE": lambda i: i.product.product_type,
    },
    default="ID",
    fields={
        "id": Field("number", lambda i: i.product.id),
        "updated_at": Field("time", lambda i: i.product.updated_at),
        "created_at": Field("time", lambda i: i.product.created_at),
        "published_at": Field("time", lambda i: i.product.published_at, sparse=True),
        "title": _text(lambda i: i.product.title),
        "handle": _text(lambda i: i.product.handle),
        "vendor": _text(lambda i: i.product.vendor),
        "product_type": _text(lambda i: i.product.product_type),
        "status": _text(lambda i: i.product.status),
        "tag": Field("tags", lambda i: i.product.tags),
    },
    current=lambda row, view: view.history.products.get(row.product.id),
)


def _variant_keys() -> dict[str, Callable[[VariantRow], int | str]]:
    return {"ID": lambda i: i.id, "SKU": lambda i: i.sku or "", "TITLE": lambda i: i.title, "NAME": lambda i: i.title}


VARIANTS = Resource(
    "ProductVariant",
    rows=lambda view: view.history.variants(),
    node=variant_node,
    identity=lambda i: i.id,
    keys=_variant_keys(),
    default="ID",
    fields={
        "id": Field("number", lambda i: i.id),
        "product_id": Field("number", lambda i: i.product_id),
        "updated_at": Field("time", lambda i: i.updated_at),
        "created_at": Field("time", lambda i: i.created_at),
        "inventory_quantity": Field("number", lambda i: i.inventory_quantity),
        "sku": _text(lambda i: i.sku),
        "barcode": _text(lambda i: i.barcode),
        "title": _text(lambda i: i.title),
        "taxable": _bool(lambda i: i.taxable),
    },
    current=lambda row, view: view.variant_row(row.id),
)


def _location(row: LocationRow, view: View) -> Node:
    return location_node(row)


def _event(row: EventRow, view: View) -> Node:
    return event_node(row)


LOCATIONS = Resource(
    "Location",
    rows=lambda view: view.history.locations.values(),
    node=_location,
    identity=lambda i: i.id,
    keys={"NAME": lambda i: i.name, "ID": lambda i: i.id},
    default="NAME",
    fields={
        "id": Field("number", lambda i: i.id),
        "location_id": Field("number", lambda i: i.id),
        "created_at": Field("time", lambda i: i.created_at),
        "name": _text(lambda i: i.name),
        "active": _bool(lambda i: i.is_active),
        "legacy": _bool(lambda i: i.is_fulfillment_service),
    },
    current=lambda row, view: view.history.locations.get(row.id),
)
CHECKOUTS = Resource(
    "AbandonedCheckout",
    rows=lambda view: view.checkouts.values(),
    node=checkout_node,
    identity=lambda i: i.id,
    keys={
        "ID": lambda i: i.id,
        "CHECKOUT_ID": lambda i: i.id,
        "CREATED_AT": lambda i: i.created_at,
        "TOTAL_PRICE": lambda i: i.total,
    },
    default="ID",
    fields={
        "id": Field("number", lambda i: i.id),
        "updated_at": Field("time", lambda i: i.updated_at),
        "created_at": Field("time", lambda i: i.created_at),
        "recovery_state": _text(lambda i: "recovered" if i.completed_at else "not_recovered"),
        "status": _text(lambda i: "closed" if i.completed_at else "open"),
    },
    current=lambda row, view: view.checkouts.get(row.id),
)
EVENTS = Resource(
    "Event",
    rows=lambda view: (event for event in view.history.events if event.created_at >= view.oldest_event),
    node=_event,
    identity=lambda i: i.id,
    keys={"ID": lambda i: i.id, "CREATED_AT": lambda i: i.created_at},
    default="ID",
    fields={
        "id": Field("number", lambda i: i.id),
        "created_at": Field("time", lambda i: i.created_at),
        "action": _text(lambda i: i.action),
        "subject_type": _text(lambda i: i.subject_type),
    },
    current=lambda row, view: row,
)
