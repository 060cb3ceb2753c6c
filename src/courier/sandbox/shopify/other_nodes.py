"""Fields of products that only other clients of Shopify ask for, and that the published schema says are never null."""

from __future__ import annotations

from courier.sandbox.history.rows import ProductFamily, VariantRow
from courier.sandbox.shopify.paging import Many, cursor
from courier.sandbox.shopify.values import Node, gid, money


def other_product_fields(family: ProductFamily, currency: str) -> Node:
    """Plain values where they are leaves; what takes time to make is made when it is asked for."""
    row, variants = family.product, family.variants
    return {
        "availablePublicationsCount": _count(row.published_at is not None),
        "bodyHtml": row.description_html,
        "defaultCursor": cursor((row.id, row.id)),
        "description": row.title,
        "hasOnlyDefaultVariant": len(variants) < 2,
        "hasOutOfStockVariants": any((i.inventory_quantity or 0) <= 0 for i in variants),
        "hasVariantsThatRequiresComponents": False,
        "images": Many((), lambda i: {}, lambda i: (0, 0)),
        "isGiftCard": False,
        "media": Many((), lambda i: {}, lambda i: (0, 0)),
        "mediaCount": _count(0),
        "options": lambda info, first=None: _options(family)[:first],
        "priceRangeV2": lambda info: _prices(variants, currency),
        "requiresSellingPlan": False,
        "totalInventory": sum(i.inventory_quantity or 0 for i in variants),
        "tracksInventory": any(i.tracked for i in variants),
        "variantsCount": _count(len(variants)),
    }


def _count(number: int) -> Node:
    return {"__typename": "Count", "count": int(number), "precision": "EXACT"}


def _prices(variants: tuple[VariantRow, ...], currency: str) -> Node:
    prices = [i.price for i in variants] or [0]
    return {
        "__typename": "ProductPriceRangeV2",
        "maxVariantPrice": money(max(prices), currency),
        "minVariantPrice": money(min(prices), currency),
    }


def _options(family: ProductFamily) -> list[Node]:
    names = family.variants[0].option_names if family.variants else ()
    return [_option(family, at, name) for at, name in enumerate(names)]


def _option(family: ProductFamily, at: int, name: str) -> Node:
    first = family.product.id * 1_000 + at * 200
    values = list(dict.fromkeys(i.option_values[at] for i in family.variants))
    return {
        "__typename": "ProductOption",
        "id": gid("ProductOption", first),
        "name": name,
        "position": at + 1,
        "values": values,
        "optionValues": [
            {
                "__typename": "ProductOptionValue",
                "id": gid("ProductOptionValue", first + place),
                "name": value,
                "hasVariants": True,
            }
            for place, value in enumerate(values, 1)
        ],
    }
