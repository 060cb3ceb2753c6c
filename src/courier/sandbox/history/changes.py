"""What happens to the made-up shop after its anchor: orders, customers and products change, appear and go.

Everything a change does is stamped with its own instant, so that an incremental reader can find all of it. A product is
deleted only if no order ever named it: orders that did would lose their reference without being updated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from courier.sandbox.history.catalogue import product_family
from courier.sandbox.history.edits import ORDER_EDITS, edit_customer, edit_order, edit_product, suits
from courier.sandbox.history.generate import FIRST_EVENT, unsold, with_totals, world_of
from courier.sandbox.history.options import Options, Roll, pick, roll_for
from courier.sandbox.history.orders import make_order
from courier.sandbox.history.people import customer_family
from courier.sandbox.history.rows import CheckoutChange, EventRow, History, OrderRow


def apply(history: History, options: Options, change: Mapping[str, Any]) -> None:
    """Change `history` in place. `change` is what Shop keeps: kind "change" (`orders`) or "touch" (`order`)."""
    at = int(change["at"])
    if change["kind"] == "touch":
        _touch(history, int(change["order"]), at)
    else:
        _change(history, options, int(change["orders"]), int(change["number"]), at)


def _touch(history: History, order_id: int, at: int) -> None:
    family = history.orders[order_id]
    history.placed.setdefault(order_id, family)
    lines = tuple(replace(line, quantity=line.quantity + 1) for line in family.lines)
    order = replace(family.order, updated_at=max(at, family.order.updated_at + 1), note="touched")
    history.orders[order_id] = replace(family, order=order, lines=lines)


def _change(history: History, options: Options, orders: int, number: int, at: int) -> None:
    history.checkout_changes = (*history.checkout_changes, CheckoutChange(at, number, orders))
    roll = roll_for(options.seed, "chan", number)
    buyers: set[int] = set()
    fresh = max(1, orders // 4) if orders else 0
    _edit_orders(history, orders - fresh, at, roll, buyers)
    _edit_customers(history, orders // 5, at, roll)
    _add_customers(history, options, orders // 20, at)
    _edit_products(history, orders // 10, at, roll)
    _delete_products(history, orders // 25, at, roll)
    _edit_location(history, at, orders >= 20)
    _add_product(history, options, at, orders >= 20)
    _add_orders(history, options, fresh, at, buyers)
    _count_orders(history, buyers, at)


def _edit_orders(history: History, count: int, at: int, roll: Roll, buyers: set[int]) -> None:
    ids = list(history.orders)
    locations = tuple(history.locations.values())
    for turn in range(count if ids else 0):
        kind = ORDER_EDITS[turn % len(ORDER_EDITS)]
        tries = [history.orders[pick(roll, ids)] for _ in range(12)]
        before = next((family for family in tries if suits(kind, family)), tries[0])
        history.placed.setdefault(before.order.id, before)
        after = history.orders[before.order.id] = edit_order(before, kind, locations, at, roll)
        if after.order.cancelled_at != before.order.cancelled_at and after.order.customer_id is not None:
            buyers.add(after.order.customer_id)


def _edit_customers(history: History, count: int, at: int, roll: Roll) -> None:
    ids = list(history.customers)
    for customer_id in dict.fromkeys(pick(roll, ids) for _ in range(count) if ids):
        history.customers[customer_id] = edit_customer(history.customers[customer_id], at, roll)


def _add_customers(history: History, options: Options, count: int, at: int) -> None:
    for _ in range(count):
        family = customer_family(options, len(history.customers), at)
        customer = replace(family.customer, created_at=at, updated_at=at)
        history.customers[customer.id] = replace(family, customer=customer)


def _edit_products(history: History, count: int, at: int, roll: Roll) -> None:
    ids = list(history.products)
    for product_id in dict.fromkeys(pick(roll, ids) for _ in range(count) if ids):
        family = history.products[product_id]
        history.products[product_id] = edit_product(family, at, roll, unsold=unsold(product_id))


def _edit_location(history: History, at: int, wanted: bool) -> None:
    if wanted and history.locations:
        row = next(iter(history.locations.values()))
        history.locations[row.id] = replace(row, name=f"{row.name} II", updated_at=at)


def _delete_products(history: History, count: int, at: int, roll: Roll) -> None:
    candidates = [product_id for product_id in history.products if unsold(product_id)]
    for _ in range(min(count, len(candidates))):
        gone = pick(roll, candidates)
        candidates.remove(gone)
        del history.products[gone]
        _happened(history, "destroy", gone, at)


def _add_product(history: History, options: Options, at: int, wanted: bool) -> None:
    if not wanted:
        return
    index = options.products + history.made_products
    history.made_products += 1
    family = product_family(options, index, at)
    product = replace(family.product, created_at=at, updated_at=at, published_at=None)
    variants = tuple(replace(variant, created_at=at, updated_at=at) for variant in family.variants)
    history.products[product.id] = replace(family, product=product, variants=variants)
    _happened(history, "create", product.id, at)


def _happened(history: History, action: str, product_id: int, at: int) -> None:
    history.events.append(EventRow(FIRST_EVENT + len(history.events), action, at, product_id, "PRODUCT"))


def _add_orders(history: History, options: Options, count: int, at: int, buyers: set[int]) -> None:
    world = world_of(history)
    for _ in range(count if world.variants else 0):
        index = len(history.orders)
        roll = roll_for(options.seed, "orde", index)
        family = make_order(options, world, index, at, at, roll)
        history.orders[family.order.id] = family
        if family.order.customer_id is not None:
            buyers.add(family.order.customer_id)


def _count_orders(history: History, buyers: set[int], at: int) -> None:
    """A customer's totals move together with its updated_at, or no incremental reader could follow."""
    orders: dict[int, list[OrderRow]] = {customer_id: [] for customer_id in buyers}
    for placed in history.orders.values():
        if placed.order.customer_id in orders:
            orders[placed.order.customer_id].append(placed.order)
    for customer_id, own in orders.items():
        family = with_totals(history.customers[customer_id], own)
        history.customers[customer_id] = replace(family, customer=replace(family.customer, updated_at=at))
