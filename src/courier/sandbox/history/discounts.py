"""Discounts on an order: what they are, and what each takes off each line."""

from __future__ import annotations

from dataclasses import replace

from courier.sandbox.history.options import Roll, pick
from courier.sandbox.history.rows import AllocationRow, ApplicationRow, LineRow, OrderFamily, ShippingLineRow
from courier.sandbox.history.words import CODES

FIRST_SHIPPING_LINE = 4_700_000_000_000
SHIPPING_SLOTS = 8
KINDS = ("code", "code", "code", "automatic", "manual", "script")
TITLES = {"automatic": "Spring 🌷 sale", "manual": "Manager's discount", "script": 'Buy 2, save "more"'}


def discount(family: OrderFamily, index: int, roll: Roll) -> OrderFamily:
    """The order with shipping lines, and now and then with up to three discounts; every code takes something off."""
    order_id = family.order.id
    shipping = tuple(
        ShippingLineRow(FIRST_SHIPPING_LINE + index * SHIPPING_SLOTS + position, order_id, title)
        for position, title in enumerate(("Standard", "Express ✈️")[: pick(roll, (0, 1, 1, 1, 1, 2))])
    )
    family = replace(family, shipping_lines=shipping)
    if not family.lines or roll() > 0.35:
        return family
    applications = tuple(_applications(family, roll))
    allocations = tuple(_allocations(family, applications))
    codes = [_as_typed(application.label, roll) for application in applications if application.kind == "code"]
    order = replace(family.order, discount_codes=tuple(reversed(codes)) if roll() < 0.3 else tuple(codes))
    lines = tuple(_discounted(line, applications, allocations) for line in family.lines)
    return replace(family, order=order, lines=lines, applications=applications, allocations=allocations)


def _as_typed(code: str, roll: Roll) -> str:
    """The order keeps a code as the customer typed it, the application as the merchant named it."""
    return code.lower() if roll() < 0.1 else code


def _applications(family: OrderFamily, roll: Roll) -> list[ApplicationRow]:
    found: list[ApplicationRow] = []
    used: set[str] = set()
    for _ in range(pick(roll, (1, 1, 1, 2, 2, 3))):
        kind = pick(roll, KINDS)
        label = pick(roll, CODES) if kind == "code" else TITLES[kind]
        if label in used:
            continue
        used.add(label)
        found.append(_application(family, len(found), kind, label, roll))
    return found


def _application(family: OrderFamily, index: int, kind: str, label: str, roll: Roll) -> ApplicationRow:
    shipping = bool(family.shipping_lines) and roll() < 0.2
    percentage = pick(roll, (5.0, 10.0, 12.5, 33.3, 100.0)) if roll() < 0.6 else None
    whole_order = roll() < 0.6
    return ApplicationRow(
        order_id=family.order.id,
        index=index,
        kind=kind,
        label=label,
        target_type="SHIPPING_LINE" if shipping else "LINE_ITEM",
        target_selection="ALL" if whole_order else pick(roll, ("ENTITLED", "EXPLICIT")),
        allocation_method="ACROSS" if whole_order else pick(roll, ("EACH", "ONE")),
        percentage=percentage,
        amount=None if percentage is not None else pick(roll, (0, 250, 500, 1_999)),
    )


def _allocations(family: OrderFamily, applications: tuple[ApplicationRow, ...]) -> list[AllocationRow]:
    """Of the lines each discount is for, what it takes off each, first come first served down to nothing."""
    left = {line.id: line.price * line.quantity for line in family.lines}
    position: dict[int, int] = {}
    found: list[AllocationRow] = []
    for application in applications:
        shipping = application.target_type == "SHIPPING_LINE"
        for line_id, price in _targets(family, application):
            amount = min(left.get(line_id, 495), _share(application, price, len(family.lines)))
            left[line_id] = left.get(line_id, 495) - amount
            place = position.get(line_id, 0)
            position[line_id] = place + 1
            found.append(AllocationRow(family.order.id, line_id, shipping, place, application.index, amount))
    return found


def _targets(family: OrderFamily, application: ApplicationRow) -> list[tuple[int, int]]:
    if application.target_type == "SHIPPING_LINE":
        return [(line.id, 495) for line in family.shipping_lines]
    lines = [(line.id, line.price * line.quantity) for line in family.lines]
    return lines if application.target_selection == "ALL" else lines[: (len(lines) + 1) // 2]


def _share(application: ApplicationRow, price: int, lines: int) -> int:
    if application.percentage is not None:
        return int(price * application.percentage / 100)
    return (application.amount or 0) // max(1, lines)


def _discounted(
    line: LineRow, applications: tuple[ApplicationRow, ...], allocations: tuple[AllocationRow, ...]
) -> LineRow:
    """`total_discount` leaves out what was taken off the order as a whole."""
    whole = {application.index for application in applications if application.target_selection == "ALL"}
    own = sum(i.amount for i in allocations if i.line_id == line.id and i.application_index not in whole)
    return replace(line, total_discount=own) if own else line
