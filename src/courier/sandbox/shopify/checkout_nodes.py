"""Abandoned checkouts as GraphQL nodes."""

from __future__ import annotations

from courier.sandbox.history.rows import CheckoutRow
from courier.sandbox.shopify.values import Lookup, Node, Ref, bag, bag_or_none, gid, instant, instant_or_none


def checkout_node(row: CheckoutRow, view: Lookup) -> Node:
    currency = row.currency
    return {
        "__typename": "AbandonedCheckout",
        "id": gid("AbandonedCheckout", row.id),
        "name": row.name,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "completedAt": instant_or_none(row.completed_at),
        "customer": Ref(view.customer, row.customer_id),
        "discountCodes": row.discount_codes,
        "note": row.note,
        "taxesIncluded": row.taxes_included,
        "subtotalPriceSet": bag(row.subtotal, currency),
        "totalDiscountSet": bag(row.discounts, currency),
        "totalDutiesSet": bag_or_none(row.duties, currency),
        "totalLineItemsPriceSet": bag(row.line_items_price, currency),
        "totalPriceSet": bag(row.total, currency),
        "totalTaxSet": bag_or_none(row.tax, currency),
    }
