"""The catalogue: the shop's products and variants as its integration sends them."""

from __future__ import annotations

from collections.abc import Iterator

from courier.sandbox.history.rows import History
from courier.sandbox.klaviyo.making import json_text
from courier.sandbox.klaviyo.rows import CatalogItemRow, CatalogVariantRow

PREFIX = "$shopify:::$default:::"


def items(history: History) -> Iterator[CatalogItemRow]:
    for family in history.products.values():
        product = family.product
        image = f"https://images.example/{product.handle}.png"
        yield CatalogItemRow(
            id=f"{PREFIX}{product.id}",
            external_id=str(product.id),
            title=product.title,
            description=product.description_html,
            price=min((variant.price for variant in family.variants), default=0) / 100 or None,
            url=f"https://shop.example/products/{product.handle}",
            image_full_url=image,
            image_thumbnail_url=f"{image}?small",
            images=json_text([image]),
            custom_metadata=json_text({"vendor": product.vendor, "type": product.product_type}),
            published=product.status == "ACTIVE",
            created=product.created_at,
            updated=product.updated_at,
        )


def variants(history: History) -> Iterator[CatalogVariantRow]:
    for variant in history.variants():
        yield CatalogVariantRow(
            id=f"{PREFIX}{variant.id}",
            item_id=f"{PREFIX}{variant.product_id}",
            external_id=str(variant.id),
            title=variant.title,
            sku=variant.sku,
            price=variant.price / 100,
            inventory_quantity=float(variant.inventory_quantity or 0),
            inventory_policy=1 if variant.inventory_policy == "DENY" else 2,
            published=variant.taxable,
            created=variant.created_at,
            updated=variant.updated_at,
        )
