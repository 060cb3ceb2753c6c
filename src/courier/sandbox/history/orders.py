"""One order with everything that hangs on it, made from its own source of numbers."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache

from courier.sandbox.history.discounts import discount
from courier.sandbox.history.options import DAY, SPAN, Options, Roll, maybe, pick, roll_for, some_tags
from courier.sandbox.history.refunds import refund
from courier.sandbox.history.rows import CustomerRow, LineRow, LocationRow, OrderFamily, OrderRow, VariantRow
from courier.sandbox.history.words import CURRENCIES, LOCALES, LONG, NOTES, SOURCE_NAMES, TAGS

FIRST_ORDER = 5_300_000_000_000
FIRST_LINE = 13_100_000_000_000
LINE_SLOTS = 512  # ids of lines that belong to one order
LINE_COUNTS = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12)
REASONS = ("CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF")
FULFILLMENT = (
    "FULFILLED", "FULFILLED", "FULFILLED", "FULFILLED", "UNFULFILLED", "UNFULFILLED", "PARTIALLY_FULFILLED",
    "RESTOCKED", "IN_PROGRESS", "ON_HOLD", "OPEN", "PENDING_FULFILLMENT", "REQUEST_DECLINED", "SCHEDULED",
    "FULFILLMENT_NOT_REQUIRED",
)  # fmt: skip
FINANCIAL = ("PAID", "PAID", "PAID", "PAID", "PENDING", "AUTHORIZED", "PARTIALLY_PAID", "EXPIRED", "VOIDED", None)
GRAMS = {"KILOGRAMS": 1000.0, "GRAMS": 1.0, "POUNDS": 453.59237, "OUNCES": 28.349523125}
SHOP_URL = "https://shop.example.com"
EMPTY_ORDER, LONG_ORDER, REFUNDED_ORDER, DEAR_ORDER = 7, 11, 13, 17  # the special ones, by index


@dataclass(frozen=True, slots=True)
class World:
    """What an order refers to. `known`: when each customer's account began, ascending."""

    customers: tuple[CustomerRow, ...]
    known: tuple[int, ...]
    variants: tuple[tuple[VariantRow, str, str], ...]  # with the product's title and vendor
    locations: tuple[LocationRow, ...]


def order_family(options: Options, world: World, index: int, anchor: int) -> OrderFamily:
    """The order as it stands at the anchor: its refunds made, its cancellation done."""
    roll = roll_for(options.seed, "orde", index)
    created = min(anchor - 1, anchor - SPAN + int((index + roll()) * SPAN / max(1, options.orders)))
    updated = min(anchor - 1, created + int(roll() ** 4 * 60 * DAY))
    special = index if options.special else -1
    return make_order(options, world, index, created, updated, roll, special)


def make_order(
    options: Options, world: World, index: int, created: int, updated: int, roll: Roll, special: int = -1
) -> OrderFamily:
    """An order of `created`, last touched at `updated`. `special` picks one of the rare shapes."""
    order_id = FIRST_ORDER + index * 32_768 + int(roll() * 30_000)
    lines = tuple(_line(world, order_id, index, position, roll) for position in range(_line_count(special, roll)))
    if special == DEAR_ORDER:
        lines = tuple(replace(line, price=99_999_999_999_999, quantity=1) for line in lines[:1])
    family = OrderFamily(_order(options, world, index, order_id, created, updated, roll), lines)
    family = discount(family, index, roll)
    family = _priced(family, roll)
    many = special == REFUNDED_ORDER
    return refund(family, world.locations, index, roll, whole=many) if many or roll() < 0.12 else family


def _line_count(special: int, roll: Roll) -> int:
    rare = {EMPTY_ORDER: 0, LONG_ORDER: 300, REFUNDED_ORDER: 60}
    return rare[special] if special in rare else pick(roll, LINE_COUNTS)


def _line(world: World, order_id: int, index: int, position: int, roll: Roll) -> LineRow:
    variant, product_title, vendor = pick(roll, world.variants)
    kind = roll()
    custom, product_gone, variant_gone = kind < 0.02, kind < 0.05, kind < 0.08
    title = "Custom engraving ✍️" if custom else product_title
    quantity = 1 + int(roll() ** 4 * 5)
    removed = roll() < 0.02
    open_quantity = 0 if removed or roll() < 0.7 else int(roll() * (quantity + 1))
    return LineRow(
        id=FIRST_LINE + index * LINE_SLOTS + position,
        order_id=order_id,
        product_id=None if product_gone else variant.product_id,
        variant_id=None if variant_gone else variant.id,
        name=title if custom else _full_name(title, variant.title),
        title=title,
        variant_title=None if custom else variant.title,
        sku=None if custom else variant.sku,
        vendor=None if custom else vendor,
        quantity=quantity,
        current_quantity=0 if removed else quantity,
        fulfillable_quantity=open_quantity,
        fulfillment_status="fulfilled"
        if open_quantity == 0
        else "partial"
        if open_quantity < quantity
        else "unfulfilled",
        fulfillment_service=maybe(roll, 0.95, "manual" if roll() < 0.9 else "example-fulfilment"),
        gift_card=not custom and kind > 0.985,
        requires_shipping=variant.requires_shipping and not custom,
        taxable=variant.taxable,
        weight_unit=None if custom else variant.weight_unit,
        weight_value=None if custom else variant.weight_value,
        price=variant.price,
        total_discount=0,
    )


@lru_cache(maxsize=65_536)  # one text for all lines of a variant: 80 bytes less for each
def _full_name(title: str, variant: str) -> str:
    return f"{title} - {variant}"


def _order(
    options: Options, world: World, index: int, order_id: int, created: int, updated: int, roll: Roll
) -> OrderRow:
    customer = _customer(world, created, roll)
    cancelled = roll() < 0.04
    pos = roll() < 0.08
    journey = None if pos else pick(roll, (None, "waiting", "ready", "ready", "ready"))
    number = 1001 + index
    return OrderRow(
        id=order_id,
        number=number,
        name=f"#{number}" if roll() < 0.99 else f"#{number}-🧾",
        created_at=created,
        updated_at=updated,
        processed_at=created if roll() < 0.95 else max(0, created - int(roll() * 90 * DAY)),
        closed_at=maybe(roll, 0.6, updated),
        cancelled_at=updated if cancelled else None,
        cancel_reason=pick(roll, REASONS) if cancelled else None,
        customer_id=customer.id if customer else None,
        app_id=maybe(roll, 0.95, 580_111 if not pos else 129_785),
        location_id=pick(roll, world.locations).id if pos else None,
        staff_id=maybe(roll, 0.1, 90_100_000_001),
        email=customer.email if customer else maybe(roll, 0.8, f"guest.{index}@example.com"),
        phone=maybe(roll, 0.2, f"+1555{index % 10_000_000:07d}"),
        note=LONG if roll() < 0.005 else maybe(roll, 0.15, pick(roll, NOTES)),
        tags=some_tags(roll, TAGS, 5) if roll() < 0.4 else (),
        client_ip=None if pos else f"192.0.2.{int(roll() * 256)}" if roll() < 0.9 else "2001:db8::1",
        accepts_marketing=roll() < 0.4,
        locale=maybe(roll, 0.9, pick(roll, LOCALES)),
        currency=options.currency,
        presentment_currency=options.currency if roll() < 0.7 else pick(roll, CURRENCIES),
        financial_status="VOIDED" if cancelled else pick(roll, FINANCIAL),
        fulfillment_status=pick(roll, FULFILLMENT),
        estimated_taxes=roll() < 0.05,
        taxes_included=roll() < 0.2,
        test=roll() < 0.02,
        token=f"{order_id:x}{index:08x}".ljust(32, "0"),
        cart_token=maybe(roll, 0.9, f"cart{index:012x}"),
        checkout_token=maybe(roll, 0.9, f"checkout{index:012x}"),
        journey=journey,
        landing_page=maybe(roll, 0.9, f"{SHOP_URL}/products/example?n={index}") if journey == "ready" else None,
        referrer=maybe(roll, 0.5, "https://search.example.org/?q=ket%20tle") if journey == "ready" else None,
        source_name="pos" if pos else maybe(roll, 0.97, pick(roll, SOURCE_NAMES)),
        source_identifier=maybe(roll, 0.1, f"EXT/{index}"),
        source_url=maybe(roll, 0.02, f"https://market.example.com/orders/{index}"),
    )


def _customer(world: World, created: int, roll: Roll) -> CustomerRow | None:
    """One whose account is older than the order; older accounts order more often. One in eight buys as a guest."""
    known = bisect_right(world.known, created)
    if roll() < 0.12 or not known:
        return None
    return world.customers[int(roll() ** 2 * known)]


def _priced(family: OrderFamily, roll: Roll) -> OrderFamily:
    """The order's totals, from its lines and what was taken off them."""
    gross = sum(line.price * line.quantity for line in family.lines)
    taken = sum(allocation.amount for allocation in family.allocations)
    shipping = 0 if not family.shipping_lines else 495
    tax = int((gross - taken) * 0.07) if roll() < 0.9 else 0
    tip = int(roll() * 1_000) if roll() < 0.03 else 0
    total = gross - taken + shipping + tax + tip
    weight = round(
        sum(GRAMS[i.weight_unit] * (i.weight_value or 0.0) * i.quantity for i in family.lines if i.weight_unit)
    )
    rare = roll()
    order = replace(
        family.order,
        total_weight=weight if rare > 0.02 else None,
        subtotal=gross - taken if rare > 0.01 else None,
        total_discounts=taken if rare > 0.03 else None,
        total_price=total,
        total_tax=tax if rare > 0.02 else None,
        total_tip=tip,
        outstanding=int((roll() - 0.6) * total) if roll() < 0.05 else 0,
        current_subtotal=gross - taken,
        current_discounts=taken,
        current_price=total,
        current_tax=tax,
    )
    return replace(family, order=order)
