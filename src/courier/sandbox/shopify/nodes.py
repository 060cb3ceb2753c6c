"""Customers, products and locations as GraphQL nodes: dicts whose keys are field names."""

from __future__ import annotations

from courier.sandbox.history.rows import (
    AddressRow,
    CustomerFamily,
    EventRow,
    LocationRow,
    Place,
    ProductFamily,
    ProductRow,
    VariantRow,
)
from courier.sandbox.shopify.metafields import metafields
from courier.sandbox.shopify.other_nodes import other_product_fields
from courier.sandbox.shopify.paging import Key, Many
from courier.sandbox.shopify.values import Lookup, Node, Ref, decimal, gid, instant, instant_or_none, money, weight


def customer_node(family: CustomerFamily, view: Lookup) -> Node:
    row = family.customer
    default = next((i for i in family.addresses if i.id == row.default_address_id), None)
    return {
        "__typename": "Customer",
        "id": gid("Customer", row.id),
        "legacyResourceId": str(row.id),
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "firstName": row.first_name,
        "lastName": row.last_name,
        "defaultEmailAddress": {"emailAddress": row.email} if row.email is not None else None,
        "defaultPhoneNumber": {"phoneNumber": row.phone} if row.phone is not None else None,
        "note": row.note,
        "state": row.state,
        "tags": row.tags,
        "taxExempt": row.tax_exempt,
        "verifiedEmail": row.verified_email,
        "multipassIdentifier": row.multipass_identifier,
        "numberOfOrders": str(row.orders_count),
        "amountSpent": money(row.amount_spent, view.currency),
        "lastOrder": Ref(view.order, row.last_order_id),
        "defaultAddress": address_node(default) if default else None,
        "addressesV2": Many(family.addresses, address_node, _by_id),
        "addresses": lambda info, first=None: [address_node(i) for i in family.addresses[:first]],
        "email": row.email,
        "phone": row.phone,
        "displayName": " ".join(part for part in (row.first_name, row.last_name) if part),
        "metafields": metafields("CUSTOMER", row.id, row.created_at, row.updated_at),
    }


def _by_id(row: AddressRow) -> Key:
    return row.id, row.id


def address_node(row: AddressRow) -> Node:
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", row.id) + "?model_name=CustomerAddress",
        **_place(row.place),
        "countryCodeV2": row.place.country_code,
        "countryCode": row.place.country_code,
        "company": row.company,
        "firstName": row.first_name,
        "lastName": row.last_name,
        "phone": row.phone,
    }


def _place(place: Place) -> Node:
    return {
        "address1": place.address1,
        "address2": place.address2,
        "city": place.city,
        "country": place.country,
        "province": place.province,
        "provinceCode": place.province_code,
        "zip": place.zip,
    }


def location_node(row: LocationRow) -> Node:
    return {
        "__typename": "Location",
        "id": gid("Location", row.id),
        "legacyResourceId": str(row.id),
        "name": row.name,
        "isActive": row.is_active,
        "isFulfillmentService": row.is_fulfillment_service,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "address": {**_place(row.place), "countryCode": row.place.country_code, "phone": row.phone},
        "metafields": metafields("LOCATION", row.id, row.created_at, row.updated_at),
    }


def product_node(family: ProductFamily, view: Lookup) -> Node:
    row = family.product
    return {
        "__typename": "Product",
        "id": gid("Product", row.id),
        "legacyResourceId": str(row.id),
        "title": row.title,
        "handle": row.handle,
        "descriptionHtml": row.description_html,
        "productType": row.product_type,
        "vendor": row.vendor,
        "status": row.status,
        "tags": row.tags,
        "templateSuffix": row.template_suffix,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "publishedAt": instant_or_none(row.published_at),
        "variants": Many(family.variants, lambda variant: variant_node(variant, view), _by_position),
        **other_product_fields(family, view.currency),
        "resourcePublicationsV2": Many((row,), _publication, lambda row: (row.id, row.id)),
        "metafields": metafields("PRODUCT", row.id, row.created_at, row.updated_at),
    }


def _by_position(row: VariantRow) -> Key:
    return row.position, row.id


def _publication(row: ProductRow) -> Node:
    catalog = {"__typename": "AppCatalog", "id": gid("AppCatalog", 1), "title": "Online Store"}
    publication = {"__typename": "Publication", "id": gid("Publication", 1), "catalog": catalog}
    return {"isPublished": row.published_at is not None, "publication": publication}


def variant_node(row: VariantRow, view: Lookup) -> Node:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", row.id),
        "legacyResourceId": str(row.id),
        "title": row.title,
        "sku": row.sku,
        "barcode": row.barcode,
        "price": f"{row.price / 100:.2f}",
        "compareAtPrice": decimal(row.compare_at_price) if row.compare_at_price is not None else None,
        "position": row.position,
        "selectedOptions": [
            {"name": name, "value": value} for name, value in zip(row.option_names, row.option_values, strict=True)
        ],
        "taxable": row.taxable,
        "inventoryPolicy": row.inventory_policy,
        "inventoryQuantity": row.inventory_quantity,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "product": Ref(view.product, row.product_id),
        "inventoryItem": inventory_item_node(row),
        "metafields": metafields("PRODUCT_VARIANT", row.id, row.created_at, row.updated_at),
    }


def inventory_item_node(row: VariantRow) -> Node:
    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", row.inventory_item_id),
        "legacyResourceId": str(row.inventory_item_id),
        "requiresShipping": row.requires_shipping,
        "tracked": row.tracked,
        "measurement": {
            "__typename": "InventoryItemMeasurement",
            "id": gid("InventoryItemMeasurement", row.inventory_item_id),
            "weight": weight(row.weight_unit, row.weight_value),
        },
    }


def event_node(row: EventRow) -> Node:
    kinds = {"PRODUCT": "Product", "CUSTOMER": "Customer", "ORDER": "Order", "PRODUCT_VARIANT": "ProductVariant"}
    return {
        "__typename": "BasicEvent",
        "id": gid("BasicEvent", row.id),
        "action": row.action,
        "createdAt": instant(row.created_at),
        "subjectId": gid(kinds[row.subject_type], row.subject_id),
        "subjectType": row.subject_type,
    }
