"""What there is to read: record types, their paths, the scopes they take, and how their lists are walked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Way = Literal["single", "pages", "moments"]

INFORMATION = "store_v2_information_read_only"
CHANNELS = "store_channel_settings_read_only"
CUSTOMERS = "store_v2_customers_read_only"
PRODUCTS = "store_v2_products_read_only"
ORDERS = "store_v2_orders_read_only"


@dataclass(frozen=True)
class Root:
    """A record type.

    path:     below the store's own, with its version: `v3/customers`
    scope:    the scope to be granted; where others would do as well, they are not named
    way:      single: one object, or one list without pages; pages: by number; moments: in order of change
    time:     the field, and the filter, that says when a record changed; "" where there is none
    children: streams below it, whose records are fetched with its own
    lasting:  whether a record that is gone from the list is gone, and is looked for
    bounded:  whether the courier's `since` bounds it
    """

    type: str
    path: str
    scope: str
    way: Way = "pages"
    time: str = ""
    children: tuple[str, ...] = ()
    lasting: bool = False
    bounded: bool = False

    @property
    def is_v2(self) -> bool:
        return self.path.startswith("v2/")


_ROOTS = (
    Root("Store", "v2/store", INFORMATION, way="single"),
    Root("Channel", "v3/channels", CHANNELS),
    Root(
        "Customer",
        "v3/customers",
        CUSTOMERS,
        way="moments",
        time="date_modified",
        children=("addresses", "form_field_values"),
        lasting=True,
    ),
    Root("CustomerAttribute", "v3/customers/attributes", CUSTOMERS, time="date_modified"),
    Root("CustomerAttributeValue", "v3/customers/attribute-values", CUSTOMERS, time="date_modified", lasting=True),
    Root(
        "Product",
        "v3/catalog/products",
        PRODUCTS,
        way="moments",
        time="date_modified",
        children=("variants", "reviews"),
        lasting=True,
    ),
    Root(
        "Order",
        "v2/orders",
        ORDERS,
        way="moments",
        time="date_modified",
        children=("products", "coupons"),
        bounded=True,
    ),
    Root("OrderStatus", "v2/order_statuses", ORDERS, way="single"),
    Root("Refund", "v3/orders/payment_actions/refunds", ORDERS, time="created", bounded=True),
)
ROOTS: Mapping[str, Root] = {root.type: root for root in _ROOTS}
