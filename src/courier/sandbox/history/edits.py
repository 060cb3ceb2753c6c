"""What somebody in the shop does to one record: each edit takes a family and gives the family that follows it."""

from __future__ import annotations

from dataclasses import replace

from courier.sandbox.history.options import Roll, pick
from courier.sandbox.history.people import SLOTS
from courier.sandbox.history.refunds import SLOTS as REFUND_SLOTS
from courier.sandbox.history.refunds import add_refund
from courier.sandbox.history.rows import CustomerFamily, LocationRow, OrderFamily, ProductFamily
from courier.sandbox.history.words import LAST_NAMES, NOTES, TAGS

ORDER_EDITS = ("tags", "quantity", "line gone", "refund", "cancelled", "note")
LocationRows = tuple[LocationRow, ...]


def suits(kind: str, family: OrderFamily) -> bool:
    """Whether an edit of this kind would show on the order."""
    if kind == "tags":
        return bool(family.order.tags)
    if kind == "line gone":
        return not family.refunds and len(family.lines) > (3 if family.allocations else 1)
    if kind == "cancelled":
        return family.order.cancelled_at is None
    return bool(family.lines) or kind == "note"


def edit_order(family: OrderFamily, kind: str, locations: LocationRows, at: int, roll: Roll) -> OrderFamily:
    """The order after an edit of one of ORDER_EDITS."""
    if kind == "tags" or not family.lines:
        edited = _order_tags(family, roll)
    elif kind == "quantity":
        edited = _order_quantity(family, roll)
    elif kind == "line gone":
        edited = _order_line_gone(family, roll)
    elif kind == "refund":
        edited = _order_refund(family, locations, at, roll)
    elif kind == "cancelled":
        edited = _order_cancelled(family, at)
    else:
        edited = replace(family, order=replace(family.order, note=pick(roll, NOTES)))
    return replace(edited, order=replace(edited.order, updated_at=at))


def _order_tags(family: OrderFamily, roll: Roll) -> OrderFamily:
    return replace(family, order=replace(family.order, tags=_retagged(family.order.tags, roll)))


def _retagged(tags: tuple[str, ...], roll: Roll) -> tuple[str, ...]:
    """The first tag gone, another one added, as long as it is not there already in any case."""
    kept, new = tags[1:], pick(roll, TAGS)
    return kept if new.lower() in {tag.lower() for tag in kept} else (*kept, new)


def _order_quantity(family: OrderFamily, roll: Roll) -> OrderFamily:
    chosen = pick(roll, family.lines).id
    lines = tuple(
        replace(line, quantity=line.quantity + 1, current_quantity=line.current_quantity + 1)
        if line.id == chosen
        else line
        for line in family.lines
    )
    return replace(family, lines=lines)


def _order_line_gone(family: OrderFamily, roll: Roll) -> OrderFamily:
    """A line that no refund names goes, with its allocations; every code keeps something that it took off."""
    refunded = {line.line_id for line in family.refund_lines}
    free = [line.id for line in family.lines if line.id not in refunded]
    if len(family.lines) < 2 or not free:
        return _order_tags(family, roll)
    gone = pick(roll, free)
    allocations = tuple(i for i in family.allocations if i.shipping or i.line_id != gone)
    if {i.application_index for i in allocations} != {i.application_index for i in family.allocations}:
        return _order_tags(family, roll)
    return replace(family, lines=tuple(i for i in family.lines if i.id != gone), allocations=allocations)


def _order_refund(family: OrderFamily, locations: LocationRows, at: int, roll: Roll) -> OrderFamily:
    if len(family.refunds) >= REFUND_SLOTS:
        return _order_tags(family, roll)
    return add_refund(family, locations, family.order.number - 1001, at, roll)


def _order_cancelled(family: OrderFamily, at: int) -> OrderFamily:
    at = family.order.cancelled_at or at
    order = replace(family.order, cancelled_at=at, cancel_reason="CUSTOMER", financial_status="VOIDED", closed_at=at)
    return replace(family, order=order)


def edit_customer(family: CustomerFamily, at: int, roll: Roll) -> CustomerFamily:
    """One of: tags, a note, a surname, an address less, an address more."""
    kind = int(roll() * 5)
    customer = replace(family.customer, updated_at=at)
    if kind == 0:
        customer = replace(customer, note=pick(roll, NOTES))
    elif kind == 1:
        customer = replace(customer, last_name=pick(roll, LAST_NAMES))
    elif kind == 2 and family.addresses:
        return _address_gone(replace(family, customer=customer))
    elif kind == 3 and 0 < len(family.addresses) < SLOTS:
        return _address_added(replace(family, customer=customer))
    else:
        customer = replace(customer, tags=_retagged(customer.tags, roll))
    return replace(family, customer=customer)


def _address_gone(family: CustomerFamily) -> CustomerFamily:
    kept = family.addresses[1:]
    default = kept[0].id if kept else None
    return replace(family, customer=replace(family.customer, default_address_id=default), addresses=kept)


def _address_added(family: CustomerFamily) -> CustomerFamily:
    last = family.addresses[-1]
    return replace(family, addresses=(*family.addresses, replace(last, id=last.id + 1, company="Second Example Ltd.")))


def edit_product(family: ProductFamily, at: int, roll: Roll, unsold: bool) -> ProductFamily:
    """One of: tags, the title, a price, the stock, a variant more; of a product never sold also a variant less."""
    kind = int(roll() * 5)
    product = replace(family.product, updated_at=at)
    if kind == 0:
        return replace(family, product=replace(product, tags=_retagged(product.tags, roll)))
    if kind == 1:
        return replace(family, product=replace(product, title=f"{product.title} (new)"))
    if kind == 2 and unsold and len(family.variants) > 1:
        return replace(family, product=product, variants=family.variants[1:])
    if kind == 3 and len(family.variants) < 8:
        last = family.variants[-1]
        added = replace(
            last,
            id=last.id + 4_096,
            inventory_item_id=last.inventory_item_id + 4_096,
            position=last.position + 1,
            sku=None,
            created_at=at,
            updated_at=at,
        )
        return replace(family, product=product, variants=(*family.variants, added))
    chosen = pick(roll, family.variants).id
    variants = tuple(
        replace(i, price=i.price + 100, inventory_quantity=(i.inventory_quantity or 0) - 1, updated_at=at)
        if i.id == chosen
        else i
        for i in family.variants
    )
    return replace(family, product=product, variants=variants)
