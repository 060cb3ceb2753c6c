"""Locations, products and their variants."""

from __future__ import annotations

from courier.sandbox.history.options import DAY, SPAN, Options, Roll, maybe, pick, roll_for, some_tags
from courier.sandbox.history.people import NO_PLACE, place
from courier.sandbox.history.rows import LocationRow, ProductFamily, ProductRow, VariantRow
from courier.sandbox.history.words import (
    ADJECTIVES,
    COLOURS,
    LONG,
    MATERIALS,
    NOUNS,
    PRODUCT_TYPES,
    SIZES,
    TAGS,
    VENDORS,
)

FIRST_LOCATION = 6_500_000_000_0
FIRST_PRODUCT = 7_300_000_000_000
FIRST_VARIANT = 4_100_000_000_000
FIRST_INVENTORY_ITEM = 4_600_000_000_000
SLOTS = 256  # ids of variants that belong to one product
STATUSES = ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")
LOCATIONS = (
    ("Main warehouse", True, False),
    ('Boutique "Exemple"', True, False),
    ("Closed in 2025 🔒", False, False),
    ("Example Fulfilment Service", True, True),
    ("Old fulfilment service", False, True),
    ("見本 Pop-up", True, False),
)


def location_rows(options: Options, anchor: int) -> list[LocationRow]:
    return [_location(options, index, anchor) for index in range(len(LOCATIONS))]


def _location(options: Options, index: int, anchor: int) -> LocationRow:
    roll = roll_for(options.seed, "loca", index)
    name, active, fulfillment = LOCATIONS[index]
    created = anchor - SPAN + int(roll() * DAY)
    return LocationRow(
        id=FIRST_LOCATION + index * 33,
        name=name,
        is_active=active,
        is_fulfillment_service=fulfillment,
        created_at=created,
        updated_at=created + int(roll() * 300 * DAY),
        phone=maybe(roll, 0.7, f"+15550000{index:03d}"),
        place=NO_PLACE if index == 4 else place(roll),
    )


def product_family(options: Options, index: int, anchor: int) -> ProductFamily:
    roll = roll_for(options.seed, "prod", index)
    created = anchor - SPAN + int(roll() ** 2 * 0.9 * SPAN)
    # Every seventh product was touched by one bulk edit, so that many share a second.
    updated = anchor - 20 * DAY if index % 7 == 0 else min(anchor - 1, created + int(roll() * 700 * DAY))
    updated = max(created, updated)
    title = f"{pick(roll, ADJECTIVES)} {pick(roll, NOUNS)}"
    row = ProductRow(
        id=FIRST_PRODUCT + index * 32_768,
        title=LONG if options.special and index == 2 else title,
        handle=f"{title.lower().replace(' ', '-')}-{index}",
        description_html=pick(roll, ("", f"<p>{title}</p>", '<p>\n<b>Sold</b> &amp; "loved"\n</p>', "<p>وصف</p>")),
        product_type=pick(roll, PRODUCT_TYPES),
        vendor=pick(roll, VENDORS),
        status=pick(roll, STATUSES),
        tags=some_tags(roll, TAGS, 6),
        template_suffix=maybe(roll, 0.2, "custom"),
        created_at=created,
        updated_at=updated,
        published_at=maybe(roll, 0.8, created + int(roll() * (updated - created + 1))),
    )
    return ProductFamily(row, _variants(options, index, row, roll))


def _variants(options: Options, index: int, product: ProductRow, roll: Roll) -> tuple[VariantRow, ...]:
    count = 130 if options.special and index == 3 else 1 + int(roll() * 8)
    names = ("Colour", "Size", "Material")[: 3 if count > 6 else int(roll() * 3) + 1]
    return tuple(_variant(index, product, names, position, count, roll) for position in range(count))


def _variant(
    index: int, product: ProductRow, names: tuple[str, ...], position: int, count: int, roll: Roll
) -> VariantRow:
    values = _option_values(names, position) if count > 1 else ("Default Title",)
    price = 500 + int(roll() ** 2 * 20_000)
    slot = index * SLOTS + position
    unit, weight = _weight(roll)
    return VariantRow(
        id=FIRST_VARIANT + slot * 4_096,
        product_id=product.id,
        inventory_item_id=FIRST_INVENTORY_ITEM + slot * 4_096,
        title=" / ".join(values),
        sku=maybe(roll, 0.9, f"SKU-{index:04d}-{position:03d}"),
        barcode=maybe(roll, 0.5, f"{2_000_000_000_000 + slot}"),
        price=price,
        compare_at_price=maybe(roll, 0.25, int(price * 1.2)),
        position=position + 1,
        option_names=names if count > 1 else ("Title",),
        option_values=values,
        taxable=roll() < 0.9,
        inventory_policy="CONTINUE" if roll() < 0.2 else "DENY",
        inventory_quantity=maybe(roll, 0.95, int(roll() * 120) - 5),
        requires_shipping=roll() < 0.9,
        tracked=roll() < 0.8,
        weight_unit=unit,
        weight_value=weight,
        created_at=product.created_at,
        updated_at=product.created_at + int(roll() * (product.updated_at - product.created_at + 1)),
    )


def _option_values(names: tuple[str, ...], position: int) -> tuple[str, ...]:
    colour, rest = position % len(COLOURS), position // len(COLOURS)
    size, material = rest % len(SIZES), rest // len(SIZES)
    return (COLOURS[colour], SIZES[size], MATERIALS[material % len(MATERIALS)])[: len(names)]


def _weight(roll: Roll) -> tuple[str | None, float | None]:
    kind = int(roll() * 9)
    if kind == 0:
        return None, None
    grams = 20 + int(roll() * 4_000)
    if kind < 4:
        return "KILOGRAMS", grams / 1000
    if kind < 6:
        return "GRAMS", float(grams)
    return ("POUNDS", round(grams / 450, 2)) if kind < 8 else ("OUNCES", round(grams / 28, 1))
