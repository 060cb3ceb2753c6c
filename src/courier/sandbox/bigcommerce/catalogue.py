"""Products, variants and reviews as /v3/catalog tells them, and channels."""

from __future__ import annotations

from courier.sandbox.bigcommerce import ids
from courier.sandbox.bigcommerce.made import ChannelRow, ReviewRow, approved
from courier.sandbox.bigcommerce.values import Node, number, offset_date, rfc3339
from courier.sandbox.history.rows import History, ProductFamily, VariantRow
from courier.sandbox.history.words import PRODUCT_TYPES, VENDORS

INCLUDES = frozenset({"custom_fields", "channels"})


def product(history: History, family: ProductFamily, include: frozenset[str]) -> Node:
    row, first = family.product, family.variants[0]
    identity, (count, ratings) = ids.product(row.id), approved(history, family)
    node: Node = {
        "id": identity,
        "name": row.title,
        "type": "physical" if first.requires_shipping else "digital",
        "sku": first.sku or "",
        "description": row.description_html,
        "price": number(first.price),
        "cost_price": number(first.price // 2),
        "retail_price": number(first.compare_at_price or 0),
        "sale_price": 0,
        "calculated_price": number(first.price),
        "categories": [20 + PRODUCT_TYPES.index(row.product_type), 99],
        "brand_id": VENDORS.index(row.vendor),
        "availability": "available" if row.status == "ACTIVE" else "disabled",
        "is_visible": row.status == "ACTIVE",
        "inventory_level": sum(variant.inventory_quantity or 0 for variant in family.variants),
        "reviews_count": count,
        "reviews_rating_sum": ratings,
        "total_sold": identity * 3 % 50,
        "condition": "New",
        "gtin": "",
        "mpn": f"MPN-{identity}",
        "upc": first.barcode or "",
        "base_variant_id": ids.variant(first.id) if len(family.variants) == 1 else None,
        "date_created": offset_date(row.created_at),
        "date_modified": offset_date(row.updated_at),
    }
    if "custom_fields" in include:
        node["custom_fields"] = [{"id": identity * 10, "name": "Handle", "value": row.handle}]
    if "channels" in include:
        node["channels"] = [1, 3] if identity % 2 else [1]
    return node


def variant(row: VariantRow, family: ProductFamily) -> Node:
    identity, inherits = ids.variant(row.id), row.price == family.variants[0].price
    return {
        "id": identity,
        "product_id": ids.product(row.product_id),
        "sku": row.sku or "",
        "sku_id": identity + 5 if row.sku else None,
        "price": None if inherits else number(row.price),
        "sale_price": None,
        "cost_price": number(row.price // 2),
        "retail_price": number(row.compare_at_price),
        "calculated_price": number(row.price),
        "upc": row.barcode or "",
        "inventory_level": row.inventory_quantity or 0,
        "purchasing_disabled": row.inventory_policy == "DENY" and (row.inventory_quantity or 0) <= 0,
        "option_values": [
            {"id": identity * 4 + place, "label": label, "option_display_name": name}
            for place, (name, label) in enumerate(zip(row.option_names, row.option_values, strict=True))
        ],
    }


def review(row: ReviewRow) -> Node:
    """Without the product's id, as the API leaves it out."""
    created = offset_date(row.created_at)
    return {
        "id": row.id,
        "title": row.title,
        "text": row.text,
        "status": row.status,
        "rating": row.rating,
        "name": row.name,
        "email": row.email,
        "date_reviewed": created,
        "date_created": created,
        "date_modified": created,
    }


def channel(row: ChannelRow) -> Node:
    return {
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "platform": row.platform,
        "status": row.status,
        "is_visible": row.id != 4,
        "is_listable_from_ui": True,
        "is_enabled": row.status in ("active", "connected"),
        "external_id": f"ext-{row.id}" if row.id > 2 else "",
        "icon_url": f"https://shop.example.com/icons/{row.id}.svg" if row.id > 1 else None,
        "date_created": rfc3339(row.created_at),
        "date_modified": rfc3339(row.updated_at),
    }
