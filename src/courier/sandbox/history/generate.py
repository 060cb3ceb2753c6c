"""The whole made-up history of a shop up to its anchor instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from courier.sandbox.history.catalogue import FIRST_PRODUCT, location_rows, product_family
from courier.sandbox.history.options import DAY, Options
from courier.sandbox.history.orders import World, order_family
from courier.sandbox.history.people import customer_family
from courier.sandbox.history.rows import CustomerFamily, EventRow, History, OrderRow
from courier.sandbox.uncollected import uncollected

FIRST_EVENT = 16_500_000_000_000
FIRST_GONE_PRODUCT = 7_299_000_000_000
GONE_PRODUCTS = 3
UNSOLD = 10  # every tenth product is never ordered, so that it can be deleted without touching an order


def generate(options: Options, anchor: int) -> History:
    """Deterministic: the same options and anchor (seconds since 1970) give the same history."""
    with uncollected():
        return _generate(options, anchor)


def _generate(options: Options, anchor: int) -> History:
    history = History(options=options, anchor=anchor)
    history.locations = {row.id: row for row in location_rows(options, anchor)}
    products = (product_family(options, index, anchor) for index in range(options.products))
    history.products = {family.product.id: family for family in products}
    people = (customer_family(options, index, anchor) for index in range(options.customers))
    history.customers = {family.customer.id: family for family in people}
    world = world_of(history)
    orders = (order_family(options, world, index, anchor) for index in range(options.orders))
    history.orders = {family.order.id: family for family in orders}
    _count_orders(history)
    history.events = _events(history, anchor)
    return history


def world_of(history: History) -> World:
    customers = tuple(family.customer for family in history.customers.values())
    return World(
        customers=customers,
        known=tuple(customer.created_at for customer in customers),
        variants=tuple(
            (variant, family.product.title, family.product.vendor)
            for family in history.products.values()
            if not unsold(family.product.id)
            for variant in family.variants
        ),
        locations=tuple(history.locations.values()),
    )


def unsold(product_id: int) -> bool:
    """Whether no order ever names this product."""
    return (product_id - FIRST_PRODUCT) // 32_768 % UNSOLD == UNSOLD - 1


def _count_orders(history: History) -> None:
    by_customer: dict[int, list[OrderRow]] = {}
    for family in history.orders.values():
        if family.order.customer_id is not None:
            by_customer.setdefault(family.order.customer_id, []).append(family.order)
    for customer_id, orders in by_customer.items():
        counted = with_totals(history.customers[customer_id], orders)
        at = max(counted.customer.updated_at, *(order.created_at for order in orders), *_cancelled(orders))
        history.customers[customer_id] = replace(counted, customer=replace(counted.customer, updated_at=at))


def _cancelled(orders: Iterable[OrderRow]) -> list[int]:
    return [order.cancelled_at for order in orders if order.cancelled_at is not None]


def with_totals(family: CustomerFamily, orders: list[OrderRow]) -> CustomerFamily:
    """The customer with what its orders add up to. Test and cancelled orders are not counted as spent."""
    spent = sum(order.total_price for order in orders if order.cancelled_at is None and not order.test)
    last = max(orders, key=lambda order: (order.processed_at, order.id), default=None)
    customer = replace(
        family.customer, orders_count=len(orders), amount_spent=spent, last_order_id=last.id if last else None
    )
    return replace(family, customer=customer)


def _events(history: History, anchor: int) -> list[EventRow]:
    """Creations of the last year's products, and products that are gone."""
    made = [
        (family.product.created_at, "create", family.product.id)
        for family in history.products.values()
        if family.product.created_at > anchor - 365 * DAY
    ]
    gone = [(anchor - (index + 1) * 40 * DAY, "destroy", FIRST_GONE_PRODUCT + index) for index in range(GONE_PRODUCTS)]
    ordered = sorted([*made, *gone])
    return [
        EventRow(FIRST_EVENT + number, action, at, subject, "PRODUCT")
        for number, (at, action, subject) in enumerate(ordered)
    ]
