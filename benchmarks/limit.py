"""The limit: what DuckDB alone takes to make the same thirteen tables of the same files.

`python -m benchmarks.limit FOLDER OUT` reads the bulk results `orders.jsonl`, `customers.jsonl`, `products.jsonl` as
the shop wrote them, and the pages of refunds and locations, already split; it writes thirteen tables into a DuckDB
file. It believes every value, joins children by the digits of `__parentId`, lands nothing, proves nothing, keeps no
versions, counts nothing and publishes nothing. To read the orders' file once for each kind of line took a sixth less
than to read all kinds at once.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from courier.storage.duck import connect, text

MONEY = "STRUCT(shopMoney STRUCT(amount DECIMAL(19,4)))"
OWNED = "STRUCT(legacyResourceId BIGINT)"
WEIGHT = 'STRUCT("value" DOUBLE, unit VARCHAR)'
ALLOCATIONS = f'STRUCT(allocatedAmountSet {MONEY}, discountApplication STRUCT("index" BIGINT))[]'

Fields = dict[str, str]


def fields(kind: str, names: str) -> Fields:
    return dict.fromkeys(names.split(), kind)


TYPENAME = fields("VARCHAR", "__typename")
ORDER: Fields = {
    **TYPENAME,
    **fields("BIGINT", "legacyResourceId number totalWeight"),
    **fields(
        "VARCHAR",
        "id clientIp cancelReason cartToken checkoutToken currencyCode customerLocale email displayFinancialStatus "
        "displayFulfillmentStatus name note phone presentmentCurrencyCode sourceIdentifier sourceName "
        "registeredSourceUrl statusPageUrl",
    ),
    **fields("BOOLEAN", "customerAcceptsMarketing estimatedTaxes taxesIncluded test"),
    **fields("TIMESTAMPTZ", "cancelledAt closedAt createdAt processedAt updatedAt"),
    **fields(
        MONEY,
        "currentSubtotalPriceSet currentTotalDiscountsSet currentTotalPriceSet currentTotalTaxSet subtotalPriceSet "
        "totalDiscountsSet totalOutstandingSet totalPriceSet totalTaxSet totalTipReceivedSet",
    ),
    **fields("VARCHAR[]", "tags discountCodes"),
    **fields(OWNED, "customer retailLocation"),
    "app": "STRUCT(id VARCHAR)",
    "customerJourneySummary": "STRUCT(lastVisit STRUCT(landingPage VARCHAR, referrerUrl VARCHAR))",
}
LINE: Fields = {
    **TYPENAME,
    **fields("VARCHAR", "id __parentId fulfillmentStatus name sku title variantTitle vendor"),
    **fields("BIGINT", "fulfillableQuantity quantity"),
    **fields("BOOLEAN", "isGiftCard requiresShipping taxable"),
    **fields(MONEY, "originalUnitPriceSet originalTotalSet totalDiscountSet"),
    **fields(OWNED, "product variant"),
    "fulfillmentService": 'STRUCT("handle" VARCHAR)',
    "weight": WEIGHT,
    "discountAllocations": ALLOCATIONS,
}
DISCOUNT: Fields = {
    **TYPENAME,
    **fields("VARCHAR", "__parentId targetType code"),
    "index": "BIGINT",
    "value": 'STRUCT("__typename" VARCHAR)',
    "discountAllocations": ALLOCATIONS,
}
CUSTOMER: Fields = {
    **TYPENAME,
    **fields("BIGINT", "legacyResourceId numberOfOrders"),
    **fields("VARCHAR", "id firstName lastName multipassIdentifier note state"),
    **fields("TIMESTAMPTZ", "createdAt updatedAt"),
    **fields("BOOLEAN", "taxExempt verifiedEmail"),
    "defaultEmailAddress": "STRUCT(emailAddress VARCHAR)",
    "defaultPhoneNumber": "STRUCT(phoneNumber VARCHAR)",
    "lastOrder": "STRUCT(legacyResourceId BIGINT, name VARCHAR, presentmentCurrencyCode VARCHAR)",
    "amountSpent": "STRUCT(amount DECIMAL(19,4), currencyCode VARCHAR)",
    "defaultAddress": "STRUCT(id VARCHAR)",
    "tags": "VARCHAR[]",
}
ADDRESS: Fields = {
    **TYPENAME,
    **fields(
        "VARCHAR",
        "id __parentId address1 address2 city company country countryCodeV2 firstName lastName phone province "
        "provinceCode zip",
    ),
}
PRODUCT: Fields = {
    **TYPENAME,
    "legacyResourceId": "BIGINT",
    **fields("VARCHAR", "id descriptionHtml handle productType status templateSuffix title vendor"),
    **fields("TIMESTAMPTZ", "createdAt updatedAt publishedAt"),
    "tags": "VARCHAR[]",
}
VARIANT: Fields = {
    **TYPENAME,
    **fields("BIGINT", "legacyResourceId inventoryQuantity position"),
    **fields("VARCHAR", "__parentId barcode inventoryPolicy sku title"),
    **fields("DECIMAL(19,4)", "compareAtPrice price"),
    **fields("TIMESTAMPTZ", "createdAt updatedAt"),
    "taxable": "BOOLEAN",
    "inventoryItem": f"STRUCT(legacyResourceId BIGINT, requiresShipping BOOLEAN, tracked BOOLEAN, "
    f"measurement STRUCT(weight {WEIGHT}))",
    "selectedOptions": 'STRUCT("value" VARCHAR)[]',
}
REFUND: Fields = {**fields("VARCHAR", "id"), "legacyResourceId": "BIGINT"}
REFUND_LINE: Fields = {
    **fields("VARCHAR", "id __parentId restockType"),
    "quantity": "BIGINT",
    "lineItem": "STRUCT(id VARCHAR)",
    "location": OWNED,
    **fields(MONEY, "subtotalSet totalTaxSet"),
}
LOCATION: Fields = {
    "legacyResourceId": "BIGINT",
    **fields("BOOLEAN", "isActive isFulfillmentService"),
    **fields("TIMESTAMPTZ", "createdAt"),
    "name": "VARCHAR",
    "address": "STRUCT(address1 VARCHAR, address2 VARCHAR, city VARCHAR, countryCode VARCHAR, country VARCHAR, "
    "province VARCHAR, provinceCode VARCHAR, zip VARCHAR, phone VARCHAR)",
}

# What is read, once: name -> (files, fields, which lines).
STAGED: Mapping[str, tuple[str, Fields, str]] = {
    "l": ("orders.jsonl", LINE, "__typename = 'LineItem'"),
    "o": ("orders.jsonl", ORDER, "__typename = 'Order'"),
    "d": ("orders.jsonl", DISCOUNT, "__typename NOT IN ('LineItem', 'Order')"),
    "c": ("customers.jsonl", CUSTOMER, "__typename = 'Customer'"),
    "a": ("customers.jsonl", ADDRESS, "__typename = 'MailingAddress'"),
    "p": ("products.jsonl", PRODUCT, "__typename = 'Product'"),
    "v": ("products.jsonl", VARIANT, "__typename = 'ProductVariant'"),
    "r": ("Order.refunds-*.jsonl", REFUND, "true"),
    "rl": ("Order.refunds.refundLineItems-*.jsonl", REFUND_LINE, "true"),
    "loc": ("Location-*.jsonl", LOCATION, "true"),
}


def digits(value: str) -> str:
    return f"regexp_extract({value}, '([0-9]+)([?]|$)', 1)::BIGINT"


def grams(weight: str) -> str:
    return (
        f"round({weight}.\"value\" * CASE {weight}.unit WHEN 'KILOGRAMS' THEN 1000 WHEN 'GRAMS' THEN 1 "
        "WHEN 'POUNDS' THEN 453.59237 WHEN 'OUNCES' THEN 28.349523125 END)::BIGINT"
    )


def amount(name: str) -> str:
    return f"{name}.shopMoney.amount"


SHIPPED_UNIT = """CASE inventoryItem.measurement.weight.unit WHEN 'KILOGRAMS' THEN 'kg' WHEN 'GRAMS' THEN 'g'
    WHEN 'POUNDS' THEN 'lb' WHEN 'OUNCES' THEN 'oz' END"""
REFUND_LINE_ID = f"""coalesce({digits("rl.id")}, ('0x' || left(md5(concat_ws(':', r.legacyResourceId,
    regexp_extract(rl.lineItem.id, '([0-9]+)([?]|$)', 1), lower(restockType))), 15))::BIGINT)"""

TABLES: Mapping[str, str] = {
    "order_line": f"""
        SELECT {digits("id")} AS id, fulfillableQuantity AS fulfillable_quantity,
            fulfillmentService."handle" AS fulfillment_service,
            nullif(lower(fulfillmentStatus), 'unfulfilled') AS fulfillment_status, isGiftCard AS gift_card,
            {grams("weight")} AS grams, name, {digits("__parentId")} AS order_id,
            {amount("originalUnitPriceSet")} AS price, product.legacyResourceId AS product_id, quantity,
            requiresShipping AS requires_shipping, sku, taxable, title, {amount("totalDiscountSet")} AS total_discount,
            variant.legacyResourceId AS variant_id, variantTitle AS variant_title, vendor
        FROM l""",
    "discount_allocation": f"""
        SELECT {digits("id")} AS order_line_id, place AS discount_allocation_index,
            allocation.allocatedAmountSet.shopMoney.amount AS amount
        FROM (SELECT id, unnest(discountAllocations) AS allocation,
            unnest(range(len(discountAllocations))) AS place FROM l)""",
    "order": f"""
        SELECT legacyResourceId AS id, {digits("app.id")} AS app_id, clientIp AS browser_ip,
            customerAcceptsMarketing AS buyer_accepts_marketing, lower(cancelReason) AS cancel_reason,
            cancelledAt AS canceled_at, cartToken AS cart_token, checkoutToken AS checkout_token, closedAt AS closed_at,
            createdAt AS created_at, currencyCode AS currency,
            {amount("currentSubtotalPriceSet")} AS current_subtotal_price,
            {amount("currentTotalDiscountsSet")} AS current_total_discounts,
            {amount("currentTotalPriceSet")} AS current_total_price,
            {amount("currentTotalTaxSet")} AS current_total_tax,
            customer.legacyResourceId AS customer_id, customerLocale AS customer_locale, email,
            estimatedTaxes AS estimated_taxes, lower(displayFinancialStatus) AS financial_status,
            CASE displayFulfillmentStatus WHEN 'FULFILLED' THEN 'fulfilled' WHEN 'PARTIALLY_FULFILLED' THEN 'partial'
                WHEN 'RESTOCKED' THEN 'restocked' END AS fulfillment_status,
            customerJourneySummary.lastVisit.landingPage AS landing_site,
            retailLocation.legacyResourceId AS location_id, name, note, number, number AS order_number, phone,
            presentmentCurrencyCode AS presentment_currency, processedAt AS processed_at,
            NULL::VARCHAR AS processing_method, customerJourneySummary.lastVisit.referrerUrl AS referring_site,
            sourceIdentifier AS source_identifier, sourceName AS source_name, registeredSourceUrl AS source_url,
            {amount("subtotalPriceSet")} AS subtotal_price, array_to_string(tags, ', ') AS tags,
            taxesIncluded AS taxes_included, test,
            nullif(regexp_extract(statusPageUrl, '^[^?#]*?/orders/([^/?#]+)', 1), '') AS token,
            {amount("totalDiscountsSet")} AS total_discounts,
            coalesce(lines.total, 0)::DECIMAL(19,4) AS total_line_items_price,
            {amount("totalOutstandingSet")} AS total_outstanding, {amount("totalPriceSet")} AS total_price,
            {amount("totalTaxSet")} AS total_tax, {amount("totalTipReceivedSet")} AS total_tip_received,
            totalWeight AS total_weight, updatedAt AS updated_at, NULL::BIGINT AS user_id
        FROM o LEFT JOIN (SELECT __parentId, sum({amount("originalTotalSet")}) AS total FROM l GROUP BY 1) lines
            ON lines.__parentId = o.id""",
    "order_tags": "SELECT legacyResourceId AS order_id, unnest(tags) AS value FROM o",
    "discount_codes": """
        WITH listed AS (SELECT DISTINCT id, legacyResourceId AS order_id, unnest(discountCodes) AS code FROM o),
        opened AS (
            SELECT __parentId AS parent, unnest(discountAllocations) AS allocation FROM l
            UNION ALL SELECT __parentId, unnest(discountAllocations) FROM d
        ),
        taken AS (
            SELECT parent, allocation.discountApplication."index" AS place,
                sum(allocation.allocatedAmountSet.shopMoney.amount) AS amount FROM opened GROUP BY 1, 2
        )
        SELECT order_id, listed.code,
            CASE WHEN count(d."index") > 0 THEN coalesce(sum(taken.amount), 0)::DECIMAL(19,4) END AS amount,
            arg_min(CASE WHEN d.targetType = 'SHIPPING_LINE' THEN 'shipping'
                WHEN d."value".__typename = 'MoneyV2' THEN 'fixed_amount'
                WHEN d."value".__typename = 'PricingPercentageValue' THEN 'percentage' END, d."index") AS type
        FROM listed LEFT JOIN d ON d.__parentId = listed.id AND lower(d.code) = lower(listed.code)
        LEFT JOIN taken ON taken.parent = listed.id AND taken.place = d."index" GROUP BY 1, 2""",
    "order_line_refund": f"""
        SELECT {REFUND_LINE_ID} AS id, {digits("lineItem.id")} AS line_item_id,
            location.legacyResourceId AS location_id, quantity, r.legacyResourceId AS refund_id,
            lower(restockType) AS restock_type,
            {amount("subtotalSet")} AS subtotal, {amount("totalTaxSet")} AS total_tax
        FROM rl JOIN r ON r.id = rl.__parentId""",
    "customer": """
        SELECT legacyResourceId AS id, createdAt AS created_at,
            coalesce(lastOrder.presentmentCurrencyCode, amountSpent.currencyCode) AS currency,
            defaultEmailAddress.emailAddress AS email, firstName AS first_name, lastName AS last_name,
            lastOrder.legacyResourceId AS last_order_id, lastOrder.name AS last_order_name,
            multipassIdentifier AS multipass_identifier, note, numberOfOrders AS orders_count,
            defaultPhoneNumber.phoneNumber AS phone, lower(state) AS state, array_to_string(tags, ', ') AS tags,
            taxExempt AS tax_exempt, amountSpent.amount AS total_spent, updatedAt AS updated_at,
            verifiedEmail AS verified_email
        FROM c""",
    "customer_address": f"""
        SELECT {digits("a.id")} AS id, address1, address2, city, company, country, countryCodeV2 AS country_code,
            country AS country_name, c.legacyResourceId AS customer_id,
            split_part(a.id, '?', 1) IS NOT DISTINCT FROM split_part(c.defaultAddress.id, '?', 1) AS "default",
            a.firstName AS first_name, a.lastName AS last_name, phone, province, provinceCode AS province_code, zip
        FROM a JOIN c ON c.id = a.__parentId""",
    "customer_tags": "SELECT legacyResourceId AS customer_id, unnest(tags) AS value FROM c",
    "product": """
        SELECT legacyResourceId AS id, descriptionHtml AS body_html, createdAt AS created_at, handle,
            productType AS product_type, publishedAt AS published_at, NULL::VARCHAR AS published_scope,
            lower(status) AS status, array_to_string(tags, ', ') AS tags, templateSuffix AS template_suffix, title,
            updatedAt AS updated_at, vendor
        FROM p""",
    "product_tags": "SELECT legacyResourceId AS product_id, unnest(tags) AS value FROM p",
    "product_variant": f"""
        SELECT legacyResourceId AS id, barcode, compareAtPrice AS compare_at_price, createdAt AS created_at,
            NULL::VARCHAR AS fulfillment_service, {grams("inventoryItem.measurement.weight")} AS grams,
            inventoryItem.legacyResourceId AS inventory_item_id,
            CASE WHEN inventoryItem.tracked THEN 'shopify' END AS inventory_management,
            lower(inventoryPolicy) AS inventory_policy, inventoryQuantity AS inventory_quantity,
            selectedOptions[1]."value" AS option1, selectedOptions[2]."value" AS option2,
            selectedOptions[3]."value" AS option3, position, price, {digits("__parentId")} AS product_id,
            inventoryItem.requiresShipping AS requires_shipping, sku, taxable, title, updatedAt AS updated_at,
            inventoryItem.measurement.weight."value" AS weight, {SHIPPED_UNIT} AS weight_unit
        FROM v""",
    "locations": """
        SELECT legacyResourceId AS id, isActive AS active, address.address1, address.address2, address.city,
            address.countryCode AS country, address.countryCode AS country_code, address.country AS country_name,
            createdAt AS created_at, isFulfillmentService AS legacy, address.country AS localized_country_name,
            address.province AS localized_province_name, name, address.phone, address.province,
            address.provinceCode AS province_code, address.province AS province_name, address.zip
        FROM loc""",
}


def read(folder: Path, files: str, columns: Fields) -> str:
    named = ", ".join(f"{text(name)}: {text(kind)}" for name, kind in columns.items())
    return f"read_ndjson({text(str(folder / files))}, columns = {{{named}}})"


def make(folder: Path, out: Path) -> None:
    """Thirteen tables in the DuckDB file `out`. Memory is as much as DuckDB wants."""
    out.unlink(missing_ok=True)
    with connect(memory_limit="80%", database=out, spill=out.with_suffix(".spill")) as connection:
        for name, (files, columns, which) in STAGED.items():
            source = read(folder, files, columns)
            connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM {source} WHERE {which}")
        for name, query in TABLES.items():
            connection.execute(f'CREATE TABLE "{name}" AS {query}')
        connection.execute("CHECKPOINT")


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
