"""Metafields of any record. They are part of the history without being kept in it: an owner's id and times decide them.

A million owners notice: numbers come from a multiplication (0.3 us) and not from a seeded generator (6 us).
"""

from __future__ import annotations

from collections.abc import Iterator

from courier.sandbox.history.rows import History, MetafieldRow

KINDS = (
    ("custom", "care", "single_line_text_field", "Wash at 30° 🧺"),
    ("custom", "score", "number_integer", "42"),
    ("loyalty", "tier", "json", '{"tier":"gold","since":"2025-01-01"}'),
    ("custom", "ratio", "number_decimal", "0.125"),
    ("reviews", "rating", "rating", '{"value":"4.5","scale_min":"1.0","scale_max":"5.0"}'),
)
# What customers say of themselves: three in four have each, whatever else they have. Some answers are more common.
OF_CUSTOMERS = (
    ("custom", "loyalty_tier", "single_line_text_field", ("bronze", "silver", "bronze", "gold", "bronze")),
    ("custom", "preferred_category", "single_line_text_field", ("Home", "Apparel", "Home", "Stationery", "Apparel")),
    ("custom", "communication_preference", "list.single_line_text_field", ('["email"]', '["email","sms"]', '["post"]')),
    ("custom", "nps_score", "number_integer", ("9", "10", "7", "3", "10", "8", "6", "9")),
)
SLOTS = 16  # ids of metafields that belong to one owner
SCORE = 1
_GOLDEN = 0x9E37_79B9_7F4A_7C15
_SALTS = {"CUSTOMER": 1, "ORDER": 2, "PRODUCT": 3, "PRODUCT_VARIANT": 4, "LOCATION": 5}


def metafield_rows(owner: str, owner_id: int, created_at: int, updated_at: int) -> tuple[MetafieldRow, ...]:
    """An owner's metafields, by id. About half of the owners have none, but for what customers say of themselves.

    The score changes whenever its owner does.
    """
    bits = ((owner_id + _SALTS[owner]) * _GOLDEN >> 32) & 0xFFFF_FFFF
    said = _said(owner_id, bits, created_at) if owner == "CUSTOMER" else ()
    if bits & 0x100 and owner != "LOCATION":
        return said
    kinds = [kind for kind in range(len(KINDS)) if bits >> kind & 1]
    return (*(_row(owner, owner_id, kind, created_at, updated_at) for kind in kinds), *said)


def _said(owner_id: int, bits: int, at: int) -> tuple[MetafieldRow, ...]:
    """What a customer says of himself."""
    kinds = [kind for kind in range(len(OF_CUSTOMERS)) if bits >> (9 + 2 * kind) & 3]
    return tuple(_answer(owner_id, kind, bits >> 17, at) for kind in kinds)


def _answer(owner_id: int, kind: int, bits: int, at: int) -> MetafieldRow:
    namespace, key, type_name, answers = OF_CUSTOMERS[kind]
    value = answers[(bits >> 3 * kind) % len(answers)]
    slot = owner_id * SLOTS + len(KINDS) + kind
    return MetafieldRow(slot, "CUSTOMER", owner_id, namespace, key, type_name, value, at, at)


def _row(owner: str, owner_id: int, kind: int, created_at: int, updated_at: int) -> MetafieldRow:
    namespace, key, type_name, value = KINDS[kind]
    if kind == SCORE:
        value = str(updated_at % 1000)
    at = updated_at if kind == SCORE else created_at
    return MetafieldRow(owner_id * SLOTS + kind, owner, owner_id, namespace, key, type_name, value, created_at, at)


def all_metafields(history: History) -> Iterator[MetafieldRow]:
    """The metafields of every owner."""
    for people in history.customers.values():
        row = people.customer
        yield from metafield_rows("CUSTOMER", row.id, row.created_at, row.updated_at)
    for placed in history.orders.values():
        yield from metafield_rows("ORDER", placed.order.id, placed.order.created_at, placed.order.updated_at)
    for family in history.products.values():
        made = family.product
        yield from metafield_rows("PRODUCT", made.id, made.created_at, made.updated_at)
    for variant in history.variants():
        yield from metafield_rows("PRODUCT_VARIANT", variant.id, variant.created_at, variant.updated_at)
    for place in history.locations.values():
        yield from metafield_rows("LOCATION", place.id, place.created_at, place.updated_at)
