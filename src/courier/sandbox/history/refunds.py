"""Refunds: some give back lines, some only money; an order may have several."""

from __future__ import annotations

from dataclasses import replace

from courier.sandbox.history.options import Roll, maybe, pick
from courier.sandbox.history.rows import LineRow, LocationRow, OrderFamily, OrderRow, RefundLineRow, RefundRow

FIRST_REFUND = 8_900_000_000_00
FIRST_REFUND_LINE = 5_900_000_000_00
SLOTS = 16  # ids of refunds that belong to one order
LINE_SLOTS = 1024
RESTOCK = ("RETURN", "CANCEL", "NO_RESTOCK", "LEGACY_RESTOCK")


def refund(
    family: OrderFamily, locations: tuple[LocationRow, ...], index: int, roll: Roll, whole: bool = False
) -> OrderFamily:
    """The order with one to three refunds; `whole` gives back every line in the first one."""
    order = family.order
    for number in range(1 if whole else pick(roll, (1, 1, 1, 2, 3))):
        at = order.created_at + int(roll() * (order.updated_at - order.created_at + 1))
        family = add_refund(family, locations, index, at, roll, whole, known=number > 0 or roll() < 0.97)
    return family


def add_refund(
    family: OrderFamily,
    locations: tuple[LocationRow, ...],
    index: int,
    at: int,
    roll: Roll,
    whole: bool = False,
    known: bool = True,
) -> OrderFamily:
    """One more refund, made at `at`. `known=False` leaves out when, as Shopify may."""
    identity = FIRST_REFUND + index * SLOTS + len(family.refunds)
    chosen = family.lines if whole else tuple(line for line in family.lines if roll() < 0.4)
    if not chosen and roll() < 0.7:
        chosen = family.lines[:1]
    first = FIRST_REFUND_LINE + index * LINE_SLOTS + len(family.refund_lines)
    lines = tuple(_line(first + place, identity, line, locations, roll) for place, line in enumerate(chosen))
    total = sum(line.subtotal + line.tax for line in lines) or min(500, family.order.current_price)
    refund_row = RefundRow(identity, family.order.id, at if known else None, at, total)
    order = _repaid(family, total)
    return replace(
        family, order=order, refunds=(*family.refunds, refund_row), refund_lines=(*family.refund_lines, *lines)
    )


def _repaid(family: OrderFamily, total: int) -> OrderRow:
    order = family.order
    left = max(0, order.current_price - total)
    status = "PARTIALLY_REFUNDED" if left else "REFUNDED"
    return replace(order, current_price=left, financial_status=order.financial_status and status)


def _line(
    identity: int, refund_id: int, line: LineRow, locations: tuple[LocationRow, ...], roll: Roll
) -> RefundLineRow:
    quantity = 1 + int(roll() * line.quantity)
    return RefundLineRow(
        id=identity,
        refund_id=refund_id,
        order_id=line.order_id,
        line_id=line.id,
        quantity=quantity,
        restock_type=pick(roll, RESTOCK),
        location_id=maybe(roll, 0.7, pick(roll, locations).id),
        subtotal=line.price * quantity,
        tax=int(line.price * quantity * 0.07),
    )
