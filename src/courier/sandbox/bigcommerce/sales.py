"""Orders with their lines and coupons as V2 tells them, and refunds as V3 does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from courier.sandbox.bigcommerce import ids
from courier.sandbox.bigcommerce.values import Node, money_text, number, rfc2822, rfc3339
from courier.sandbox.history.options import DAY
from courier.sandbox.history.rows import LineRow, OrderFamily, OrderRow, RefundLineRow, RefundRow

EMBEDDED = 50  # the most lines that a consignment shows; then it says so in an undocumented `__warning__`
STATUSES = (
    "Incomplete", "Pending", "Shipped", "Partially Shipped", "Refunded", "Cancelled", "Declined", "Awaiting Payment",
    "Awaiting Pickup", "Awaiting Shipment", "Completed", "Awaiting Fulfillment", "Manual Verification Required",
    "Disputed", "Partially Refunded",
)  # fmt: skip
SOURCES = {"web": "www", "pos": "pos", "iphone": "iphone", "shopify_draft_order": "manual"}


def order(family: OrderFamily, currency: str) -> Node:
    """The order alone, as the list shows it without `include`."""
    row, identity = family.order, ids.order(family.order.number)
    shipped = row.fulfillment_status == "FULFILLED"
    items = sum(line.quantity for line in family.lines)
    status = status_id(row)
    foreign = row.presentment_currency != currency
    return {
        "id": identity,
        "customer_id": ids.customer(row.customer_id) if row.customer_id else 0,
        "date_created": rfc2822(row.created_at),
        "date_modified": rfc2822(row.updated_at),
        "date_shipped": rfc2822(row.created_at + DAY) if shipped else "",
        "status_id": status,
        "status": STATUSES[status],
        "payment_status": (row.financial_status or "").lower(),
        "payment_method": "Cash" if row.source_name == "pos" else "Credit Card",
        **_totals(family),
        "items_total": items,
        "items_shipped": items if shipped else 0,
        "currency_code": row.presentment_currency,
        "default_currency_code": currency,
        "store_default_currency_code": currency,
        "store_default_to_transactional_exchange_rate": "1.2345678900" if foreign else "1.0000000000",
        "currency_exchange_rate": "1.0000000000",
        "channel_id": {"pos": 2, "Marketplace (example)": 3}.get(row.source_name or "", 1),
        "order_source": SOURCES.get(row.source_name or "", "external"),
        "external_source": "M-MIG" if row.test else None,
        "external_id": None,
        "external_order_id": row.source_identifier or "",
        "cart_id": row.cart_token,
        "is_deleted": identity % 97 == 0,
        "order_is_digital": not any(line.requires_shipping for line in family.lines),
        "is_email_opt_in": row.accepts_marketing,
        "customer_locale": row.locale or "",
        "geoip_country_iso2": "US" if row.client_ip else "",
        "ip_address": row.client_ip if row.client_ip and "." in row.client_ip else "",
        "ip_address_v6": row.client_ip if row.client_ip and ":" in row.client_ip else "",
        "staff_notes": row.note,
        "customer_message": "Please hurry." if identity % 11 == 0 else "",
        "billing_address": _billing(row),
        "products": {"url": f"https://store.example.com/v2/orders/{identity}/products", "resource": "/products"},
        "coupons": {"url": f"https://store.example.com/v2/orders/{identity}/coupons", "resource": "/coupons"},
    }


def status_id(row: OrderRow) -> int:
    if row.cancelled_at is not None:
        return 5
    known = {"REFUNDED": 4, "PARTIALLY_REFUNDED": 14, "PENDING": 7, "VOIDED": 6}
    if row.financial_status in known:
        return known[row.financial_status]
    return {"FULFILLED": 10, "PARTIALLY_FULFILLED": 3}.get(row.fulfillment_status, 11)


def _totals(family: OrderFamily) -> Node:
    row, tax, codes = family.order, family.order.total_tax or 0, sum(coupon_totals(family).values())
    return {
        "total_inc_tax": money_text(row.total_price),
        "total_ex_tax": money_text(row.total_price - tax),
        "total_tax": money_text(tax),
        "subtotal_inc_tax": money_text(row.subtotal or 0),
        "subtotal_ex_tax": money_text((row.subtotal or 0) - tax),
        "discount_amount": money_text(max(0, (row.total_discounts or 0) - codes)),
        "coupon_discount": money_text(codes),
        "shipping_cost_inc_tax": money_text(495 if family.shipping_lines else 0),
        "refunded_amount": money_text(sum(refund.total for refund in family.refunds)),
        "store_credit_amount": "0.0000",
        "gift_certificate_amount": "0.0000",
    }


def _billing(row: OrderRow) -> Node:
    return {
        "email": row.email or "",
        "first_name": "Buyer",
        "last_name": f"No. {row.number}",
        "company": "",
        "street_1": f"{row.number} Example Street",
        "street_2": "Apt. 1" if row.number % 5 == 0 else "",
        "city": "Springfield",
        "state": "Illinois",
        "zip": "01234",
        "country": "United States",
        "country_iso2": "US",
        "phone": row.phone or "",
        "form_fields": [],
    }


def lines(family: OrderFamily) -> list[Node]:
    """As /v2/orders/{id}/products tells them."""
    refunded: dict[int, list[RefundLineRow]] = {}
    for row in family.refund_lines:
        refunded.setdefault(row.line_id, []).append(row)
    return [_line(family, row, refunded.get(row.id, [])) for row in family.lines]


def _line(family: OrderFamily, row: LineRow, refunded: Iterable[RefundLineRow]) -> Node:
    identity, total = ids.line(row.id), row.price * row.quantity
    returned = list(refunded)
    return {
        "id": identity,
        "order_id": ids.order(family.order.number),
        "product_id": ids.product(row.product_id) if row.product_id else 0,
        "variant_id": ids.variant(row.variant_id) if row.variant_id else 0,
        "name": row.name,
        "sku": row.sku or "",
        "type": kind(row),
        "quantity": row.quantity,
        "base_price": money_text(row.price),
        "price_inc_tax": money_text(row.price),
        "total_inc_tax": money_text(total),
        "total_ex_tax": money_text(total),
        "total_tax": "0.0000",
        "discounted_total_inc_tax": money_text(total - row.total_discount),
        "is_refunded": bool(returned),
        "quantity_refunded": sum(one.quantity for one in returned),
        "refund_amount": money_text(sum(one.subtotal + one.tax for one in returned)),
        "quantity_shipped": row.quantity if family.order.fulfillment_status == "FULFILLED" else 0,
        "base_cost_price": money_text(row.price // 2),
        "brand": row.vendor or "",
        "upc": "",
        "parent_order_product_id": None,
        "is_bundled_product": False,
        "order_address_id": ids.order(family.order.number) if kind(row) == "physical" else 0,
        "product_options": _options(identity, row),
        "applied_discounts": _discounts(family, row),
    }


def kind(row: LineRow) -> str:
    if row.gift_card:
        return "giftcertificate"
    return "physical" if row.requires_shipping else "digital"


def _options(identity: int, row: LineRow) -> list[Node]:
    if row.variant_title is None:
        return []
    return [{"id": identity, "display_name": "Variant", "display_value": row.variant_title}]


def _discounts(family: OrderFamily, row: LineRow) -> list[Node]:
    own = [one for one in family.allocations if one.line_id == row.id and not one.shipping]
    return [{"id": str(one.application_index), "amount": money_text(one.amount)} for one in own]


def consignments(family: OrderFamily, *, empty: bool = False) -> Node:
    """Lines by how they reach the customer; of each consignment no more than EMBEDDED. `empty`: it happens."""
    found: dict[str, list[Node]] = {"shipping": [], "pickups": [], "downloads": [], "email": []}
    for row, node in zip(family.lines, lines(family), strict=True):
        found[_way(family.order, row)].append(node)
    if empty:
        found = {way: [] for way in found}
    listed = {way: [_consignment(nodes)] if nodes else [] for way, nodes in found.items()}
    return {**{way: listed[way] for way in ("shipping", "pickups", "downloads")},
            "email": {"gift_certificates": listed["email"]}}  # fmt: skip


def _way(order_row: OrderRow, row: LineRow) -> str:
    if kind(row) == "giftcertificate":
        return "email"
    if kind(row) == "digital":
        return "downloads"
    return "pickups" if order_row.source_name == "pos" else "shipping"


def _consignment(nodes: list[Node]) -> Node:
    cut = {"__warning__": f"Only {EMBEDDED} line items are shown."} if len(nodes) > EMBEDDED else {}
    return {"line_items": nodes[:EMBEDDED], **cut}


def coupon_totals(family: OrderFamily) -> Mapping[int, int]:
    """Index of an application of a code -> what it took off, where that is anything."""
    taken = {one.index: 0 for one in family.applications if one.kind == "code"}
    for allocation in family.allocations:
        if allocation.application_index in taken:
            taken[allocation.application_index] += allocation.amount
    return {index: cents for index, cents in taken.items() if cents}


def coupons(family: OrderFamily) -> list[Node]:
    """As /v2/orders/{id}/coupons tells them."""
    identity, taken = ids.order(family.order.number), coupon_totals(family)
    return [
        {
            "id": identity * 8 + one.index,
            "order_id": identity,
            "coupon_id": len(one.label),
            "code": one.label,
            "amount": money_text(one.amount or 0) if one.percentage is None else f"{one.percentage:.4f}",
            "type": 2 if one.percentage is None else 1,
            "discount": float(money_text(taken[one.index])),
        }
        for one in family.applications
        if one.index in taken
    ]


def refund(family: OrderFamily, row: RefundRow) -> Node:
    own = [one for one in family.refund_lines if one.refund_id == row.id]
    return {
        "id": ids.refund(row.id),
        "order_id": ids.order(family.order.number),
        "user_id": 7,
        "created": rfc3339(row.updated_at),
        "reason": "Changed my mind" if row.id % 3 == 0 else "",
        "total_amount": number(row.total),
        "total_tax": number(sum(one.tax for one in own)),
        "uses_merchant_override_values": row.id % 5 == 0,
        "items": [_refund_item(one) for one in own] or [_whole_order(family, row)],
    }


def _refund_item(row: RefundLineRow) -> Node:
    return {
        "item_type": "PRODUCT",
        "item_id": ids.line(row.line_id),
        "quantity": row.quantity,
        "requested_amount": number(row.subtotal + row.tax),
        "reason": row.restock_type,
    }


def _whole_order(family: OrderFamily, row: RefundRow) -> Node:
    identity = ids.order(family.order.number)
    whole: Node = {"item_type": "ORDER", "item_id": identity, "quantity": 1, "requested_amount": number(row.total)}
    return {**whole, "reason": None}


def order_status(number_: int) -> Node:
    label = STATUSES[number_]
    return {
        "id": number_,
        "name": label,
        "system_label": label,
        "custom_label": label.upper() if number_ == 11 else label,
        "system_description": f"An order that is {label.lower()}.",
    }
