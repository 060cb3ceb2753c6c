"""Customers, products, locations, events and the shop as the REST API sends them."""

from __future__ import annotations

from courier.sandbox.history.rows import (
    AddressRow,
    CustomerFamily,
    CustomerRow,
    EventRow,
    LocationRow,
    ProductFamily,
    VariantRow,
)
from courier.sandbox.shopify.rest_values import (
    SHOP_ZONE,
    WEIGHT_UNITS,
    Json,
    amount,
    amount_or_none,
    gid,
    grams,
    local,
    local_or_none,
    lower,
    one_text,
    place,
)
from courier.sandbox.shopify.view import View


def customer(family: CustomerFamily, view: View) -> Json:
    row = family.customer
    last = view.order_family(row.last_order_id)
    return {
        **customer_head(family, view.currency),
        "orders_count": row.orders_count,
        "total_spent": amount(row.amount_spent),
        "last_order_id": last.order.id if last else None,
        "last_order_name": last.order.name if last else None,
        "addresses": [address(i, row) for i in family.addresses],
    }


def customer_head(family: CustomerFamily, currency: str) -> Json:
    """What an order shows of its customer."""
    row = family.customer
    default = next((i for i in family.addresses if i.id == row.default_address_id), None)
    found: Json = {
        "id": row.id,
        "email": row.email,
        "created_at": local(row.created_at),
        "updated_at": local(row.updated_at),
        "first_name": row.first_name,
        "last_name": row.last_name,
        "state": lower(row.state),
        "note": row.note,
        "verified_email": row.verified_email,
        "multipass_identifier": row.multipass_identifier,
        "tax_exempt": row.tax_exempt,
        "tags": one_text(row.tags),
        "currency": currency,
        "phone": row.phone,
        "tax_exemptions": [],
        "email_marketing_consent": None,
        "sms_marketing_consent": None,
        "admin_graphql_api_id": gid("Customer", row.id),
    }
    return {**found, "default_address": address(default, row)} if default else found


def address(row: AddressRow, owner: CustomerRow) -> Json:
    return {
        "id": row.id,
        "customer_id": owner.id,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "company": row.company,
        **place(row.place),
        "country": row.place.country,
        "country_name": row.place.country,
        "phone": row.phone,
        "name": " ".join(part for part in (row.first_name, row.last_name) if part),
        "default": row.id == owner.default_address_id,
    }


def product(family: ProductFamily, view: View) -> Json:
    row = family.product
    return {
        "id": row.id,
        "title": row.title,
        "body_html": row.description_html,
        "vendor": row.vendor,
        "product_type": row.product_type,
        "created_at": local(row.created_at),
        "handle": row.handle,
        "updated_at": local(row.updated_at),
        "published_at": local_or_none(row.published_at),
        "template_suffix": row.template_suffix,
        "published_scope": "global",
        "tags": one_text(row.tags),
        "status": lower(row.status),
        "admin_graphql_api_id": gid("Product", row.id),
        "variants": [variant(i) for i in family.variants],
        "options": _options(family),
        "images": [],
        "image": None,
    }


def _options(family: ProductFamily) -> list[Json]:
    names = family.variants[0].option_names if family.variants else ()
    return [
        {
            "id": family.product.id * 10 + at,
            "product_id": family.product.id,
            "name": name,
            "position": at + 1,
            "values": list(dict.fromkeys(i.option_values[at] for i in family.variants if at < len(i.option_values))),
        }
        for at, name in enumerate(names)
    ]


def variant(row: VariantRow) -> Json:
    first, second, third = (*row.option_values, None, None, None)[:3]
    return {
        "id": row.id,
        "product_id": row.product_id,
        "title": row.title,
        "price": amount(row.price),
        "position": row.position,
        "inventory_policy": lower(row.inventory_policy),
        "compare_at_price": amount_or_none(row.compare_at_price),
        "option1": first,
        "option2": second,
        "option3": third,
        "created_at": local(row.created_at),
        "updated_at": local(row.updated_at),
        "taxable": row.taxable,
        "barcode": row.barcode,
        "fulfillment_service": "manual",
        "grams": grams(row.weight_unit, row.weight_value),
        "inventory_management": "shopify" if row.tracked else None,
        "requires_shipping": row.requires_shipping,
        "sku": row.sku,
        "weight": row.weight_value,
        "weight_unit": WEIGHT_UNITS[row.weight_unit] if row.weight_unit else None,
        "inventory_item_id": row.inventory_item_id,
        "inventory_quantity": row.inventory_quantity,
        "old_inventory_quantity": row.inventory_quantity,
        "admin_graphql_api_id": gid("ProductVariant", row.id),
        "image_id": None,
    }


def location(row: LocationRow, view: View) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        **place(row.place),
        "country": row.place.country_code,
        "country_name": row.place.country,
        "localized_country_name": row.place.country,
        "localized_province_name": row.place.province,
        "phone": row.phone,
        "created_at": local(row.created_at),
        "updated_at": local(row.updated_at),
        "legacy": row.is_fulfillment_service,
        "active": row.is_active,
        "admin_graphql_api_id": gid("Location", row.id),
    }


def event(row: EventRow, view: View) -> Json:
    subject = row.subject_type.title().replace("_", "")
    return {
        "id": row.id,
        "subject_id": row.subject_id,
        "subject_type": subject,
        "created_at": local(row.created_at),
        "verb": row.action,
        "arguments": [],
        "body": None,
        "message": f"{subject} {row.subject_id}: {row.action}",
        "author": "Shopify",
        "description": f"{subject} {row.subject_id}: {row.action}",
        "path": None,
    }


def shop(identity: int, domain: str, currency: str, created_at: int) -> Json:
    return {
        "id": identity,
        "name": "Courier Sandbox (made up)",
        "email": "owner@example.com",
        "domain": domain,
        "myshopify_domain": domain,
        "country": "US",
        "country_code": "US",
        "country_name": "United States",
        "currency": currency,
        "enabled_presentment_currencies": [currency],
        "timezone": f"(GMT-05:00) {SHOP_ZONE}",
        "iana_timezone": SHOP_ZONE,
        "money_format": "${{amount}}",
        "weight_unit": "kg",
        "taxes_included": False,
        "plan_name": "shopify_plus",
        "plan_display_name": "Shopify Plus",
        "primary_locale": "en",
        "shop_owner": "Nobody Sample",
        "created_at": local(created_at),
        "updated_at": local(created_at),
    }
