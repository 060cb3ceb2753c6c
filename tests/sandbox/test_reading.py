"""The whole shop read through the API, by a plain reader that shares no code with connector or truth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from courier import sandbox
from courier.sandbox.server import Sandbox
from courier.sandbox.shopify.truth import KEYS, truth_tables
from tests.sandbox import documents
from tests.sandbox.client import Client, Json

GRAMS = {"KILOGRAMS": 1000, "GRAMS": 1, "POUNDS": 453.59237, "OUNCES": 28.349523125}
UNITS = {"KILOGRAMS": "kg", "GRAMS": "g", "POUNDS": "lb", "OUNCES": "oz"}
FULFILLMENT = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial", "RESTOCKED": "restocked"}
Rows = dict[str, list[Json]]


def test_what_the_api_shows_is_the_truth(served: Sandbox, client: Client) -> None:
    """Law: thirteen tables built from pages equal the thirteen told by SQL, before and after a change."""
    for _ in range(2):
        told = truth_tables(served.shop)
        read = read_everything(client)
        for table, key in KEYS.items():
            rows = sorted(read[table], key=lambda row: [row[name] for name in key])
            assert rows == sorted(told[table], key=lambda row: [row[name] for name in key]), table
        sandbox.change(served.shop, 40)


def read_everything(client: Client) -> Rows:
    rows: Rows = {table: [] for table in KEYS}
    for node in client.every(documents.CUSTOMERS, "customers", first=100):
        read_customer(client, node, rows)
    for node in client.every(documents.ORDERS, "orders", first=100):
        read_order(client, node, rows)
    for node in client.every(documents.REFUNDS, "orders", first=100):
        for refund in node["refunds"]:
            lines = drained(client, refund, "refundLineItems", documents.REFUND_LINES, "refund")
            rows["order_line_refund"] += [refund_line(refund, line) for line in lines]
    for node in client.every(documents.PRODUCTS, "products", first=100):
        rows["product"].append(product(node))
        rows["product_tags"] += [{"product_id": number(node["id"]), "value": tag} for tag in node["tags"]]
    rows["product_variant"] = [variant(node) for node in client.every(documents.VARIANTS, "productVariants", first=100)]
    rows["locations"] = [location(node) for node in client.every(documents.LOCATIONS, "locations", first=100)]
    return rows


def drained(client: Client, node: Json, name: str, document: str, root: str) -> Iterator[Json]:
    part = node[name]
    yield from part["nodes"]
    while part["pageInfo"]["hasNextPage"]:
        part = client.data(document, id=node["id"], after=part["pageInfo"]["endCursor"])[root][name]
        yield from part["nodes"]


def number(identity: str | None) -> int | None:
    found = re.search(r"/(\d+)(\?.*)?$", identity) if identity else None
    return int(found[1]) if found else None


def at(node: Any, path: str, make: Callable[[Any], Any] = lambda value: value) -> Any:
    """The value at a path of names, or None where any part is null."""
    for name in path.split("."):
        node = node[name] if node is not None else None
    return None if node is None else make(node)


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def money(node: Json, name: str) -> Decimal | None:
    found: Decimal | None = at(node, f"{name}.shopMoney.amount", Decimal)
    return found


def lower(text: str) -> str:
    return text.lower()


def read_customer(client: Client, node: Json, rows: Rows) -> None:
    identity = int(node["legacyResourceId"])
    currency = at(node, "lastOrder.presentmentCurrencyCode") or node["amountSpent"]["currencyCode"]
    rows["customer_tags"] += [{"customer_id": identity, "value": tag} for tag in node["tags"]]
    rows["customer"].append(
        {
            "created_at": time(node["createdAt"]),
            "currency": currency,
            "email": at(node, "defaultEmailAddress.emailAddress"),
            "first_name": node["firstName"],
            "id": identity,
            "last_name": node["lastName"],
            "last_order_id": at(node, "lastOrder.legacyResourceId", int),
            "last_order_name": at(node, "lastOrder.name"),
            "multipass_identifier": node["multipassIdentifier"],
            "note": node["note"],
            "orders_count": int(node["numberOfOrders"]),
            "phone": at(node, "defaultPhoneNumber.phoneNumber"),
            "state": lower(node["state"]),
            "tags": ", ".join(node["tags"]),
            "tax_exempt": node["taxExempt"],
            "total_spent": Decimal(node["amountSpent"]["amount"]),
            "updated_at": time(node["updatedAt"]),
            "verified_email": node["verifiedEmail"],
        }
    )
    default = at(node, "defaultAddress.id")
    for address in drained(client, node, "addressesV2", documents.ADDRESSES, "customer"):
        same = ("address1", "address2", "city", "company", "country", "phone", "province", "zip")
        rows["customer_address"].append(
            {
                **{name: address[name] for name in same},
                "country_code": address["countryCodeV2"],
                "country_name": address["country"],
                "customer_id": identity,
                "default": address["id"] == default,
                "first_name": address["firstName"],
                "id": number(address["id"]),
                "last_name": address["lastName"],
                "province_code": address["provinceCode"],
            }
        )


def read_order(client: Client, node: Json, rows: Rows) -> None:
    identity = int(node["legacyResourceId"])
    lines = list(drained(client, node, "lineItems", documents.ORDER_LINES, "order"))
    rows["order"].append(order(node, lines))
    rows["order_line"] += [order_line(identity, line) for line in lines]
    rows["order_tags"] += [{"order_id": identity, "value": tag} for tag in node["tags"]]
    rows["discount_codes"] += [discount_code(node, identity, lines, code) for code in node["discountCodes"]]
    rows["discount_allocation"] += [
        {
            "amount": money(part, "allocatedAmountSet"),
            "discount_allocation_index": position,
            "order_line_id": number(line["id"]),
        }
        for line in lines
        for position, part in enumerate(line["discountAllocations"])
    ]


def order(node: Json, lines: list[Json]) -> Json:
    prices: tuple[str, ...] = (
        "current_subtotal_price",
        "current_total_discounts",
        "current_total_price",
        "current_total_tax",
    )
    prices += (
        "subtotal_price",
        "total_discounts",
        "total_outstanding",
        "total_price",
        "total_tax",
        "total_tip_received",
    )
    same: tuple[str, ...] = (
        "cart_token",
        "checkout_token",
        "customer_locale",
        "email",
        "estimated_taxes",
        "name",
        "note",
        "number",
    )
    same += ("phone", "source_name", "source_identifier", "taxes_included", "test")
    times = ("closed_at", "created_at", "processed_at", "updated_at")
    return {
        **{name: money(node, camel(name) + "Set") for name in prices},
        **{name: node[camel(name)] for name in same},
        **{name: at(node, camel(name), time) for name in times},
        "app_id": number(at(node, "app.id")),
        "browser_ip": node["clientIp"],
        "buyer_accepts_marketing": node["customerAcceptsMarketing"],
        "cancel_reason": at(node, "cancelReason", lower),
        "canceled_at": at(node, "cancelledAt", time),
        "currency": node["currencyCode"],
        "customer_id": at(node, "customer.legacyResourceId", int),
        "financial_status": at(node, "displayFinancialStatus", lower),
        "fulfillment_status": FULFILLMENT.get(node["displayFulfillmentStatus"]),
        "id": int(node["legacyResourceId"]),
        "landing_site": at(node, "customerJourneySummary.lastVisit.landingPage"),
        "location_id": at(node, "retailLocation.legacyResourceId", int),
        "order_number": node["number"],
        "presentment_currency": node["presentmentCurrencyCode"],
        "processing_method": None,
        "referring_site": at(node, "customerJourneySummary.lastVisit.referrerUrl"),
        "source_url": node["registeredSourceUrl"],
        "tags": ", ".join(node["tags"]),
        "token": re.findall("/orders/([^/]+)/", node["statusPageUrl"])[0],
        "total_line_items_price": sum((money(i, "originalTotalSet") or Decimal(0) for i in lines), Decimal(0)),
        "total_weight": at(node, "totalWeight", int),
        "user_id": None,
    }


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def grams(node: Json | None) -> int | None:
    return round(node["value"] * GRAMS[node["unit"]]) if node else None


def order_line(order_id: int, node: Json) -> Json:
    same = ("fulfillable_quantity", "name", "quantity", "requires_shipping", "sku", "taxable", "title", "variant_title")
    return {
        **{name: node[camel(name)] for name in (*same, "vendor")},
        "fulfillment_service": at(node, "fulfillmentService.handle"),
        "fulfillment_status": None if node["fulfillmentStatus"] == "unfulfilled" else node["fulfillmentStatus"],
        "gift_card": node["isGiftCard"],
        "grams": grams(node["weight"]),
        "id": number(node["id"]),
        "order_id": order_id,
        "price": money(node, "originalUnitPriceSet"),
        "product_id": at(node, "product.legacyResourceId", int),
        "total_discount": money(node, "totalDiscountSet"),
        "variant_id": at(node, "variant.legacyResourceId", int),
    }


def discount_code(node: Json, order_id: int, lines: list[Json], code: str) -> Json:
    own = [i for i in node["discountApplications"]["nodes"] if i.get("code", "").lower() == code.lower()]
    indexes = {i["index"] for i in own}
    amount = sum(
        (
            money(part, "allocatedAmountSet") or Decimal(0)
            for line in (*lines, *node["shippingLines"]["nodes"])
            for part in line["discountAllocations"]
            if part["discountApplication"]["index"] in indexes
        ),
        Decimal(0),
    )
    kind = "fixed_amount" if own[0]["value"]["__typename"] == "MoneyV2" else "percentage"
    kind = "shipping" if own[0]["targetType"] == "SHIPPING_LINE" else kind
    return {"amount": amount, "code": code, "order_id": order_id, "type": kind}


def refund_line(refund: Json, node: Json) -> Json:
    return {
        "id": number(node["id"]),
        "line_item_id": number(node["lineItem"]["id"]),
        "location_id": at(node, "location.legacyResourceId", int),
        "subtotal": money(node, "subtotalSet"),
        "refund_id": int(refund["legacyResourceId"]),
        "restock_type": lower(node["restockType"]),
        "quantity": node["quantity"],
        "total_tax": money(node, "totalTaxSet"),
    }


def product(node: Json) -> Json:
    return {
        **{name: node[camel(name)] for name in ("handle", "product_type", "template_suffix", "title", "vendor")},
        "body_html": node["descriptionHtml"],
        "created_at": time(node["createdAt"]),
        "id": int(node["legacyResourceId"]),
        "published_at": at(node, "publishedAt", time),
        "published_scope": None,
        "status": lower(node["status"]),
        "tags": ", ".join(node["tags"]),
        "updated_at": time(node["updatedAt"]),
    }


def variant(node: Json) -> Json:
    options = [option["value"] for option in node["selectedOptions"]] + [None] * 3
    item = node["inventoryItem"]
    weight = item["measurement"]["weight"]
    return {
        **{
            name: node[camel(name)] for name in ("barcode", "inventory_quantity", "position", "sku", "taxable", "title")
        },
        "compare_at_price": at(node, "compareAtPrice", Decimal),
        "created_at": time(node["createdAt"]),
        "fulfillment_service": None,
        "grams": grams(weight),
        "id": int(node["legacyResourceId"]),
        "inventory_item_id": int(item["legacyResourceId"]),
        "inventory_management": "shopify" if item["tracked"] else None,
        "inventory_policy": lower(node["inventoryPolicy"]),
        **{f"option{place + 1}": options[place] for place in range(3)},
        "price": Decimal(node["price"]),
        "product_id": int(node["product"]["legacyResourceId"]),
        "requires_shipping": item["requiresShipping"],
        "updated_at": time(node["updatedAt"]),
        "weight": at(weight, "value"),
        "weight_unit": at(weight, "unit", UNITS.__getitem__),
    }


def location(node: Json) -> Json:
    address = node["address"]
    return {
        **{name: address[name] for name in ("address1", "address2", "city", "phone", "province", "zip")},
        "active": node["isActive"],
        "country": address["countryCode"],
        "country_code": address["countryCode"],
        "country_name": address["country"],
        "created_at": time(node["createdAt"]),
        "id": int(node["legacyResourceId"]),
        "legacy": node["isFulfillmentService"],
        "localized_country_name": address["country"],
        "localized_province_name": address["province"],
        "name": node["name"],
        "province_code": address["provinceCode"],
        "province_name": address["province"],
    }
