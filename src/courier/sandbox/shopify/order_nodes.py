"""Orders and what hangs on them as GraphQL nodes: dicts whose keys are field names."""

from __future__ import annotations

from courier.sandbox.history.rows import (
    AllocationRow,
    ApplicationRow,
    LineRow,
    OrderFamily,
    OrderRow,
    RefundLineRow,
    RefundRow,
    ShippingLineRow,
)
from courier.sandbox.shopify.metafields import metafields
from courier.sandbox.shopify.paging import Key, Many
from courier.sandbox.shopify.values import (
    Lookup,
    Node,
    Ref,
    bag,
    bag_or_none,
    gid,
    instant,
    instant_or_none,
    money,
    weight,
)

APPLICATION_TYPES = {
    "code": "DiscountCodeApplication",
    "automatic": "AutomaticDiscountApplication",
    "manual": "ManualDiscountApplication",
    "script": "ScriptDiscountApplication",
}


def order_node(family: OrderFamily, view: Lookup) -> Node:
    row = family.order
    return {
        **_header(row),
        **_sums(row),
        "customer": Ref(view.customer, row.customer_id),
        "retailLocation": Ref(view.location, row.location_id),
        "lineItems": Many(family.lines, lambda line: line_node(line, family, view), _by_id),
        "discountApplications": Many(family.applications, lambda i: application_node(i, row.currency), _by_index),
        "shippingLines": Many(family.shipping_lines, lambda i: shipping_line_node(i, family), _by_id),
        "refunds": Refunds(family, view),
        "agreements": Many((), lambda i: {}, _by_id),
        "metafields": metafields("ORDER", row.id, row.created_at, row.updated_at),
    }


def _by_id(row: LineRow | ShippingLineRow | RefundLineRow) -> Key:
    return row.id, row.id


def _by_index(row: ApplicationRow) -> Key:
    return row.index, row.index


def _header(row: OrderRow) -> Node:
    return {
        "__typename": "Order",
        "id": gid("Order", row.id),
        "legacyResourceId": str(row.id),
        "name": row.name,
        "number": row.number,
        "app": {"id": gid("App", row.app_id)} if row.app_id is not None else None,
        "staffMember": {"id": gid("StaffMember", row.staff_id)} if row.staff_id is not None else None,
        "clientIp": row.client_ip,
        "customerAcceptsMarketing": row.accepts_marketing,
        "cancelReason": row.cancel_reason,
        "cancelledAt": instant_or_none(row.cancelled_at),
        "cartToken": row.cart_token,
        "checkoutToken": row.checkout_token,
        "closedAt": instant_or_none(row.closed_at),
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "processedAt": instant(row.processed_at),
        "currencyCode": row.currency,
        "presentmentCurrencyCode": row.presentment_currency,
        "customerLocale": row.locale,
        "email": row.email,
        "phone": row.phone,
        "estimatedTaxes": row.estimated_taxes,
        "displayFinancialStatus": row.financial_status,
        "displayFulfillmentStatus": row.fulfillment_status,
        "customerJourneySummary": _journey(row),
        "note": row.note,
        "sourceName": row.source_name,
        "sourceIdentifier": row.source_identifier,
        "registeredSourceUrl": row.source_url,
        "statusPageUrl": f"https://shop.example.com/65000000001/orders/{row.token}/authenticate?key={row.token[::-1]}",
        "tags": row.tags,
        "discountCodes": row.discount_codes,
        "taxesIncluded": row.taxes_included,
        "test": row.test,
        "totalWeight": str(row.total_weight) if row.total_weight is not None else None,
    }


def _sums(row: OrderRow) -> Node:
    currency = row.currency
    return {
        "subtotalPriceSet": bag_or_none(row.subtotal, currency),
        "totalDiscountsSet": bag_or_none(row.total_discounts, currency),
        "totalPriceSet": bag(row.total_price, currency),
        "totalTaxSet": bag_or_none(row.total_tax, currency),
        "totalTipReceivedSet": bag(row.total_tip, currency),
        "totalOutstandingSet": bag(row.outstanding, currency),
        "currentSubtotalPriceSet": bag(row.current_subtotal, currency),
        "currentTotalDiscountsSet": bag(row.current_discounts, currency),
        "currentTotalPriceSet": bag(row.current_price, currency),
        "currentTotalTaxSet": bag(row.current_tax, currency),
    }


def _journey(row: OrderRow) -> Node | None:
    if row.journey is None:
        return None
    if row.journey == "waiting":
        return {"ready": False, "lastVisit": None}
    visit = {
        "__typename": "CustomerVisit",
        "id": gid("CustomerVisit", row.id),
        "landingPage": row.landing_page,
        "referrerUrl": row.referrer,
    }
    return {"ready": True, "lastVisit": visit}


def line_node(row: LineRow, family: OrderFamily, view: Lookup) -> Node:
    currency = family.order.currency
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", row.id),
        "name": row.name,
        "title": row.title,
        "variantTitle": row.variant_title,
        "sku": row.sku,
        "vendor": row.vendor,
        "quantity": row.quantity,
        "currentQuantity": row.current_quantity,
        "unfulfilledQuantity": row.fulfillable_quantity,
        "fulfillableQuantity": row.fulfillable_quantity,
        "fulfillmentStatus": row.fulfillment_status,
        "fulfillmentService": _service(row.fulfillment_service),
        "isGiftCard": row.gift_card,
        "requiresShipping": row.requires_shipping,
        "taxable": row.taxable,
        "weight": weight(row.weight_unit, row.weight_value),
        "originalUnitPriceSet": bag(row.price, currency),
        "originalTotalSet": bag(row.price * row.quantity, currency),
        "totalDiscountSet": bag(row.total_discount, currency),
        "product": Ref(view.product, row.product_id),
        "variant": Ref(view.variant, row.variant_id),
        "discountAllocations": _allocations(family, row.id, shipping=False),
    }


def _service(handle: str | None) -> Node | None:
    if handle is None:
        return None
    return {"__typename": "FulfillmentService", "id": f"gid://shopify/FulfillmentService/{handle}", "handle": handle}


def _allocations(family: OrderFamily, line_id: int, shipping: bool) -> list[Node]:
    if not family.allocations:
        return []
    own = [i for i in family.allocations if i.line_id == line_id and i.shipping == shipping]
    return [_allocation(i, family) for i in sorted(own, key=lambda i: i.position)]


def _allocation(row: AllocationRow, family: OrderFamily) -> Node:
    currency = family.order.currency
    return {
        "allocatedAmountSet": bag(row.amount, currency),
        "discountApplication": application_node(family.applications[row.application_index], currency),
    }


def application_node(row: ApplicationRow, currency: str) -> Node:
    value: Node = {"__typename": "PricingPercentageValue", "percentage": row.percentage}
    return {
        "__typename": APPLICATION_TYPES[row.kind],
        "index": row.index,
        "allocationMethod": row.allocation_method,
        "targetSelection": row.target_selection,
        "targetType": row.target_type,
        "value": value if row.amount is None else money(row.amount, currency),
        "code" if row.kind == "code" else "title": row.label,
    }


def shipping_line_node(row: ShippingLineRow, family: OrderFamily) -> Node:
    return {
        "__typename": "ShippingLine",
        "id": gid("ShippingLine", row.id),
        "title": row.title,
        "discountAllocations": _allocations(family, row.id, shipping=True),
    }


class Refunds:
    """`Order.refunds(first:)`: a plain list, cut without a word."""

    __slots__ = ("family", "view")

    def __init__(self, family: OrderFamily, view: Lookup) -> None:
        self.family = family
        self.view = view

    def __call__(self, info: object, first: int | None = None) -> list[Node]:
        return [refund_node(row, self.family, self.view) for row in self.family.refunds[:first]]


def refund_node(row: RefundRow, family: OrderFamily, view: Lookup) -> Node:
    lines = [line for line in family.refund_lines if line.refund_id == row.id]
    return {
        "__typename": "Refund",
        "id": gid("Refund", row.id),
        "legacyResourceId": str(row.id),
        "createdAt": instant_or_none(row.created_at),
        "updatedAt": instant(row.updated_at),
        "totalRefundedSet": bag(row.total, family.order.currency),
        "refundLineItems": Many(lines, lambda line: refund_line_node(line, family, view), _by_id),
    }


def refund_line_node(row: RefundLineRow, family: OrderFamily, view: Lookup) -> Node:
    currency = family.order.currency
    return {
        "__typename": "RefundLineItem",
        "id": gid("RefundLineItem", row.id),
        "quantity": row.quantity,
        "restockType": row.restock_type,
        "location": Ref(view.location, row.location_id),
        "lineItem": Ref(lambda: next(line_node(i, family, view) for i in family.lines if i.id == row.line_id)),
        "subtotalSet": bag(row.subtotal, currency),
        "totalTaxSet": bag(row.tax, currency),
    }
