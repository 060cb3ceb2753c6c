"""What the shipped BigCommerce courier should hold: with every scope, whatever the API cuts off or leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from courier.sandbox.bigcommerce import made
from courier.sandbox.history import rows
from courier.sandbox.history.rows import History
from courier.sandbox.telling import Books

# Domain table -> what tells one row from another.
KEYS: dict[str, tuple[str, ...]] = {
    "channels": ("id",),
    "customer_addresses": ("id",),
    "customer_attribute_values": ("id",),
    "customer_attributes": ("id",),
    "customer_form_field_values": ("id",),
    "customers": ("id",),
    "order_coupons": ("id",),
    "order_products": ("id",),
    "order_refund_items": ("refund_id", "item_type", "item_id"),
    "order_refunds": ("id",),
    "order_statuses": ("id",),
    "orders": ("id",),
    "product_reviews": ("id",),
    "product_variants": ("id",),
    "products": ("id",),
    "store": ("id",),
}
_ORDER = ("order", "line", "application", "allocation", "refund", "refund_line")
_READ: dict[str, tuple[str, ...]] = {
    "channels": ("channel",),
    "customer_addresses": ("address", "form_field"),
    "customer_attribute_values": ("attribute_value",),
    "customer_attributes": ("attribute",),
    "customer_form_field_values": ("form_field",),
    "customers": ("customer", "address", "attribute_value"),
    "order_coupons": ("order", "application", "allocation"),
    "order_products": _ORDER,
    "order_refund_items": ("order", "refund", "refund_line"),
    "order_refunds": ("order", "refund", "refund_line"),
    "orders": (*_ORDER, "shipping_line"),
    "product_reviews": ("review",),
    "product_variants": ("variant", "product"),
    "products": ("product", "variant", "review"),
    "store": ("store",),
}
_CLASSES: dict[str, type] = {
    "address": rows.AddressRow,
    "allocation": rows.AllocationRow,
    "application": rows.ApplicationRow,
    "attribute": made.AttributeRow,
    "attribute_value": made.AttributeValueRow,
    "channel": made.ChannelRow,
    "customer": rows.CustomerRow,
    "form_field": made.FormFieldRow,
    "line": rows.LineRow,
    "order": rows.OrderRow,
    "product": rows.ProductRow,
    "refund": rows.RefundRow,
    "refund_line": rows.RefundLineRow,
    "review": made.ReviewRow,
    "shipping_line": rows.ShippingLineRow,
    "store": made.StoreRow,
    "variant": rows.VariantRow,
}
_MACROS = """
    CREATE MACRO money(cents) AS (cents::DECIMAL(19,0) * 0.01::DECIMAL(3,2))::DECIMAL(19,4);
    CREATE MACRO said(value) AS coalesce(value, '');
    CREATE MACRO instant(seconds) AS make_timestamptz(seconds * 1000000);
    CREATE MACRO customer_id(made_id) AS ((made_id - 6100000000000) // 32768 + 1)::BIGINT;
    CREATE MACRO address_id(made_id) AS (made_id - 8200000000000 + 1)::BIGINT;
    CREATE MACRO product_id(made_id) AS ((made_id - 7300000000000) // 32768 + 1)::BIGINT;
    CREATE MACRO variant_id(made_id) AS ((made_id - 4100000000000) // 4096 + 1)::BIGINT;
    CREATE MACRO line_id(made_id) AS (made_id - 13100000000000 + 1)::BIGINT;
    CREATE MACRO refund_id(made_id) AS (made_id - 890000000000 + 1)::BIGINT;
    CREATE MACRO order_id(made_number) AS (made_number - 900)::BIGINT;
    CREATE MACRO listed(texts) AS '[' || coalesce(array_to_string(texts, ','), '') || ']';
    CREATE MACRO json_money(cents) AS '"' || money(cents)::VARCHAR || '"';
    CREATE MACRO status_of(cancelled, paid, sent) AS CASE
        WHEN cancelled IS NOT NULL THEN 5
        WHEN paid = 'REFUNDED' THEN 4 WHEN paid = 'PARTIALLY_REFUNDED' THEN 14
        WHEN paid = 'PENDING' THEN 7 WHEN paid = 'VOIDED' THEN 6
        WHEN sent = 'FULFILLED' THEN 10 WHEN sent = 'PARTIALLY_FULFILLED' THEN 3 ELSE 11 END;
    CREATE MACRO statuses() AS ['Incomplete', 'Pending', 'Shipped', 'Partially Shipped', 'Refunded', 'Cancelled',
        'Declined', 'Awaiting Payment', 'Awaiting Pickup', 'Awaiting Shipment', 'Completed', 'Awaiting Fulfillment',
        'Manual Verification Required', 'Disputed', 'Partially Refunded'];
"""


def _made_for(tables: Iterable[str]) -> Mapping[str, type]:
    names = {name for table in tables for name in _READ.get(table, ())}
    return {name: _CLASSES[name] for name in sorted(names)}


_OF_ORDERS = {
    "allocation": "allocations",
    "application": "applications",
    "line": "lines",
    "refund": "refunds",
    "refund_line": "refund_lines",
    "shipping_line": "shipping_lines",
}


def _made(history: History, name: str) -> Iterator[Any]:
    """The rows of one of the tables that the queries read."""
    customers, products, orders = history.customers.values(), history.products.values(), history.orders.values()
    if name in _OF_ORDERS:
        return (row for family in orders for row in getattr(family, _OF_ORDERS[name]))
    if name == "attribute_value":
        return (row for family in customers for row in made.attribute_values(family.customer))
    found: dict[str, Any] = {
        "address": (row for family in customers for row in family.addresses),
        "attribute": made.attributes(history),
        "channel": made.channels(history),
        "customer": (family.customer for family in customers),
        "form_field": made.form_fields(history),
        "order": (family.order for family in orders),
        "product": (family.product for family in products),
        "review": (row for family in products for row in made.reviews(history, family)),
        "store": iter([made.store(history)]),
        "variant": history.variants(),
    }
    return iter(found[name])


BOOKS = Books("bigcommerce", KEYS, tuple(KEYS), _made_for, _made, _MACROS)
