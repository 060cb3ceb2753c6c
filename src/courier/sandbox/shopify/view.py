"""What one request may see of the shop: records by id, as nodes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from courier.sandbox.history.checkouts import checkouts
from courier.sandbox.history.options import DAY
from courier.sandbox.history.rows import CheckoutRow, History, OrderFamily, VariantRow
from courier.sandbox.shopify import checkout_nodes, nodes, order_nodes

if TYPE_CHECKING:
    from courier.sandbox.shopify.values import Node

VISIBLE_DAYS = 60  # of orders, without read_all_orders
EVENT_DAYS = 365  # that events are kept


class Index:
    """Where the records below a root are, by their ids. Made once per state of the shop."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def order_of_line(self) -> dict[int, int]:
        return {line.id: key for key, family in self.history.orders.items() for line in family.lines}

    @cached_property
    def order_of_refund(self) -> dict[int, int]:
        return {refund.id: key for key, family in self.history.orders.items() for refund in family.refunds}

    @cached_property
    def product_of_variant(self) -> dict[int, int]:
        return {variant.id: variant.product_id for variant in self.history.variants()}

    @cached_property
    def product_of_item(self) -> dict[int, int]:
        return {variant.inventory_item_id: variant.product_id for variant in self.history.variants()}

    @cached_property
    def customer_of_address(self) -> dict[int, int]:
        return {i.id: key for key, family in self.history.customers.items() for i in family.addresses}


class View:
    """One request's sight of the shop at `now`. `all_orders` is whether the scope read_all_orders is granted."""

    def __init__(self, index: Index, currency: str, now: int, all_orders: bool = True) -> None:
        self.index = index
        self.history = index.history
        self.currency = currency
        self.now = now
        self.all_orders = all_orders
        self.oldest_order = 0 if all_orders else now - VISIBLE_DAYS * DAY
        self.oldest_event = now - EVENT_DAYS * DAY

    @property
    def checkouts(self) -> dict[int, CheckoutRow]:
        return checkouts(self.history)

    def checkout(self, identity: int) -> Node | None:
        row = self.checkouts.get(identity)
        return checkout_nodes.checkout_node(row, self) if row else None

    def sees(self, family: OrderFamily) -> bool:
        return family.order.created_at >= self.oldest_order

    def order_family(self, identity: int | None) -> OrderFamily | None:
        family = self.history.orders.get(identity) if identity is not None else None
        return family if family and self.sees(family) else None

    def order(self, identity: int | None) -> Node | None:
        family = self.order_family(identity)
        return order_nodes.order_node(family, self) if family else None

    def customer(self, identity: int | None) -> Node | None:
        family = self.history.customers.get(identity) if identity is not None else None
        return nodes.customer_node(family, self) if family else None

    def product(self, identity: int | None) -> Node | None:
        family = self.history.products.get(identity) if identity is not None else None
        return nodes.product_node(family, self) if family else None

    def variant(self, identity: int | None) -> Node | None:
        found = self.variant_row(identity)
        return nodes.variant_node(found, self) if found else None

    def variant_row(self, identity: int | None) -> VariantRow | None:
        family = self.history.products.get(self.index.product_of_variant.get(identity or 0, 0))
        return next((i for i in family.variants if i.id == identity), None) if family else None

    def location(self, identity: int | None) -> Node | None:
        row = self.history.locations.get(identity) if identity is not None else None
        return nodes.location_node(row) if row else None

    def node(self, kind: str, identity: int) -> Node | None:
        """Any record by its gid's two parts, or None: gone, never there, or out of sight."""
        find = _FINDERS.get(kind)
        return find(self, identity) if find else None

    def line(self, identity: int) -> Node | None:
        family = self.order_family(self.index.order_of_line.get(identity))
        found = next((i for i in family.lines if i.id == identity), None) if family else None
        return order_nodes.line_node(found, family, self) if found and family else None

    def refund(self, identity: int) -> Node | None:
        family = self.order_family(self.index.order_of_refund.get(identity))
        found = next((i for i in family.refunds if i.id == identity), None) if family else None
        return order_nodes.refund_node(found, family, self) if found and family else None

    def address(self, identity: int) -> Node | None:
        family = self.history.customers.get(self.index.customer_of_address.get(identity, 0))
        found = next((i for i in family.addresses if i.id == identity), None) if family else None
        return nodes.address_node(found) if found else None

    def inventory_item(self, identity: int) -> Node | None:
        family = self.history.products.get(self.index.product_of_item.get(identity, 0))
        found = next((i for i in family.variants if i.inventory_item_id == identity), None) if family else None
        return nodes.inventory_item_node(found) if found else None


_FINDERS = {
    "AbandonedCheckout": View.checkout,
    "Order": View.order,
    "Customer": View.customer,
    "Product": View.product,
    "ProductVariant": View.variant,
    "Location": View.location,
    "LineItem": View.line,
    "Refund": View.refund,
    "MailingAddress": View.address,
    "InventoryItem": View.inventory_item,
}
