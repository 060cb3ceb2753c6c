"""Orders with all that hangs on them as the REST API sends them."""

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
from courier.sandbox.shopify.rest_records import customer_head
from courier.sandbox.shopify.rest_values import (
    Json,
    amount,
    amount_or_none,
    both,
    gid,
    grams,
    local,
    local_or_none,
    lower,
    one_text,
)
from courier.sandbox.shopify.view import View

SHIPPING = 495  # what a shipping line of the made-up history costs, in cents
STATUS = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}


def order(family: OrderFamily, view: View) -> Json:
    buyer = view.history.customers.get(family.order.customer_id or 0)
    return {
        **_head(family.order),
        **_where_from(family.order),
        **_sums(family),
        "discount_codes": [_code(code, family) for code in family.order.discount_codes],
        "customer": customer_head(buyer, view.currency) if buyer else None,
        "billing_address": None,
        "shipping_address": None,
        "discount_applications": [_application(i) for i in family.applications],
        "fulfillments": [],
        "line_items": [line(i, family) for i in family.lines],
        "payment_terms": None,
        "refunds": [refund(i, family) for i in family.refunds],
        "shipping_lines": [_shipping_line(i, family) for i in family.shipping_lines],
    }


def _head(row: OrderRow) -> Json:
    return {
        "id": row.id,
        "admin_graphql_api_id": gid("Order", row.id),
        "app_id": row.app_id,
        "browser_ip": row.client_ip,
        "buyer_accepts_marketing": row.accepts_marketing,
        "cancel_reason": lower(row.cancel_reason),
        "cancelled_at": local_or_none(row.cancelled_at),
        "cart_token": row.cart_token,
        "checkout_token": row.checkout_token,
        "closed_at": local_or_none(row.closed_at),
        "confirmed": True,
        "contact_email": row.email,
        "created_at": local(row.created_at),
        "currency": row.currency,
        "customer_locale": row.locale,
        "email": row.email,
        "estimated_taxes": row.estimated_taxes,
        "financial_status": lower(row.financial_status),
        "fulfillment_status": STATUS.get(row.fulfillment_status),
        "name": row.name,
        "note": row.note,
        "note_attributes": [],
        "number": row.number - 1000,
        "order_number": row.number,
        "phone": row.phone,
        "presentment_currency": row.presentment_currency,
        "processed_at": local(row.processed_at),
        "tags": one_text(row.tags),
        "tax_exempt": False,
        "tax_lines": [],
        "taxes_included": row.taxes_included,
        "test": row.test,
        "token": row.token,
        "total_weight": row.total_weight,
        "updated_at": local(row.updated_at),
        "user_id": row.staff_id,
    }


def _where_from(row: OrderRow) -> Json:
    ready = row.journey == "ready"
    return {
        "landing_site": row.landing_page if ready else None,
        "referring_site": row.referrer if ready else None,
        "location_id": row.location_id,
        "order_status_url": f"https://shop.example.com/65000000001/orders/{row.token}/authenticate",
        "payment_gateway_names": [],
        "source_identifier": row.source_identifier,
        "source_name": row.source_name,
        "source_url": row.source_url,
    }


def _sums(family: OrderFamily) -> Json:
    row = family.order
    gross = sum(i.price * i.quantity for i in family.lines)
    sums = {
        "current_subtotal_price": row.current_subtotal,
        "current_total_discounts": row.current_discounts,
        "current_total_price": row.current_price,
        "current_total_tax": row.current_tax,
        "subtotal_price": row.subtotal,
        "total_discounts": row.total_discounts,
        "total_line_items_price": gross,
        "total_price": row.total_price,
        "total_tax": row.total_tax,
    }
    found: Json = {"total_outstanding": amount(row.outstanding), "total_tip_received": amount(row.total_tip)}
    for name, cents in sums.items():
        found[name] = amount_or_none(cents)
        found[f"{name}_set"] = None if cents is None else _both(cents, row)
    found["total_shipping_price_set"] = _both(SHIPPING if family.shipping_lines else 0, row)
    return found


def _both(cents: int, row: OrderRow) -> Json:
    return both(cents, row.currency, row.presentment_currency)


def _code(code: str, family: OrderFamily) -> Json:
    """A code as the customer typed it, and what it took off; `percentage` when the order does not say."""
    wanted = code.lower()
    own = next((i for i in family.applications if i.kind == "code" and i.label.lower() == wanted), None)
    taken = sum(i.amount for i in family.allocations if own and i.application_index == own.index)
    return {"code": code, "amount": amount(taken), "type": _code_type(own)}


def _code_type(row: ApplicationRow | None) -> str:
    if row is not None and row.target_type == "SHIPPING_LINE":
        return "shipping"
    return "percentage" if row is None or row.amount is None else "fixed_amount"


def _application(row: ApplicationRow) -> Json:
    found: Json = {
        "target_type": row.target_type.lower(),
        "type": {"code": "discount_code"}.get(row.kind, row.kind),
        "value": amount(row.amount) if row.amount is not None else str(row.percentage),
        "value_type": "fixed_amount" if row.amount is not None else "percentage",
        "allocation_method": row.allocation_method.lower(),
        "target_selection": row.target_selection.lower(),
    }
    return {**found, "code" if row.kind == "code" else "title": row.label}


def line(row: LineRow, family: OrderFamily) -> Json:
    return {
        "id": row.id,
        "admin_graphql_api_id": gid("LineItem", row.id),
        "current_quantity": row.current_quantity,
        "fulfillable_quantity": row.fulfillable_quantity,
        "fulfillment_service": row.fulfillment_service,
        "fulfillment_status": None if row.fulfillment_status == "unfulfilled" else row.fulfillment_status,
        "gift_card": row.gift_card,
        "grams": grams(row.weight_unit, row.weight_value),
        "name": row.name,
        "price": amount(row.price),
        "price_set": _both(row.price, family.order),
        "product_exists": row.product_id is not None,
        "product_id": row.product_id,
        "properties": [],
        "quantity": row.quantity,
        "requires_shipping": row.requires_shipping,
        "sku": row.sku,
        "taxable": row.taxable,
        "title": row.title,
        "total_discount": amount(row.total_discount),
        "total_discount_set": _both(row.total_discount, family.order),
        "variant_id": row.variant_id,
        "variant_inventory_management": "shopify",
        "variant_title": row.variant_title,
        "vendor": row.vendor,
        "tax_lines": [],
        "duties": [],
        "discount_allocations": _allocations(family, row.id, shipping=False),
    }


def _allocations(family: OrderFamily, line_id: int, shipping: bool) -> list[Json]:
    own = [i for i in family.allocations if i.line_id == line_id and i.shipping == shipping]
    return [_allocation(i, family.order) for i in sorted(own, key=lambda i: i.position)]


def _allocation(row: AllocationRow, owner: OrderRow) -> Json:
    return {
        "amount": amount(row.amount),
        "amount_set": _both(row.amount, owner),
        "discount_application_index": row.application_index,
    }


def _shipping_line(row: ShippingLineRow, family: OrderFamily) -> Json:
    return {
        "id": row.id,
        "carrier_identifier": None,
        "code": row.title,
        "price": amount(SHIPPING),
        "price_set": _both(SHIPPING, family.order),
        "source": "shopify",
        "title": row.title,
        "tax_lines": [],
        "discount_allocations": _allocations(family, row.id, shipping=True),
    }


def refund(row: RefundRow, family: OrderFamily) -> Json:
    lines = [i for i in family.refund_lines if i.refund_id == row.id]
    return {
        "id": row.id,
        "admin_graphql_api_id": gid("Refund", row.id),
        "order_id": row.order_id,
        "created_at": local_or_none(row.created_at),
        "processed_at": local_or_none(row.created_at),
        "note": None,
        "restock": any(i.restock_type != "NO_RESTOCK" for i in lines),
        "user_id": None,
        "duties": [],
        "order_adjustments": [],
        "transactions": [],
        "refund_line_items": [_refund_line(i, family) for i in lines],
    }


def _refund_line(row: RefundLineRow, family: OrderFamily) -> Json:
    """Its two sums are numbers: the one place where the REST API writes money so."""
    return {
        "id": row.id,
        "line_item_id": row.line_id,
        "location_id": row.location_id,
        "quantity": row.quantity,
        "restock_type": row.restock_type.lower(),
        "subtotal": row.subtotal / 100,
        "subtotal_set": _both(row.subtotal, family.order),
        "total_tax": row.tax / 100,
        "total_tax_set": _both(row.tax, family.order),
        "line_item": next(line(i, family) for i in family.lines if i.id == row.line_id),
    }
