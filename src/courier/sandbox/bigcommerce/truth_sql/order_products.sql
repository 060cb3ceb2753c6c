WITH returned AS (
    SELECT line_id, sum(quantity) AS quantity, sum(subtotal + tax) AS cents FROM made.refund_line GROUP BY 1
),
discounts AS (
    SELECT line_id, list('{"id":"' || application_index || '","amount":' || json_money(amount) || '}' ORDER BY position)
        AS shown
    FROM made.allocation WHERE NOT shipping GROUP BY 1
),
kinds AS (
    SELECT *, CASE WHEN gift_card THEN 'giftcertificate' WHEN requires_shipping THEN 'physical' ELSE 'digital' END AS kind
    FROM made.line
)
SELECT
    listed(discounts.shown) AS applied_discounts,
    money(l.price // 2) AS base_cost_price,
    money(l.price) AS base_price,
    said(l.vendor) AS brand,
    money(l.price * l.quantity - l.total_discount) AS discounted_total_inc_tax,
    line_id(l.id) AS id,
    false AS is_bundled_product,
    returned.line_id IS NOT NULL AS is_refunded,
    l.name,
    CASE WHEN kind = 'physical' THEN order_id(o.number) ELSE 0 END AS order_address_id,
    order_id(o.number) AS order_id,
    NULL::BIGINT AS parent_order_product_id,
    money(l.price) AS price_inc_tax,
    coalesce(product_id(l.product_id), 0) AS product_id,
    CASE WHEN l.variant_title IS NULL THEN '[]' ELSE '[{"id":' || line_id(l.id)
        || ',"display_name":"Variant","display_value":' || to_json(l.variant_title) || '}]' END AS product_options,
    l.quantity::BIGINT AS quantity,
    coalesce(returned.quantity, 0)::BIGINT AS quantity_refunded,
    (CASE WHEN o.fulfillment_status = 'FULFILLED' THEN l.quantity ELSE 0 END)::BIGINT AS quantity_shipped,
    money(coalesce(returned.cents, 0)) AS refund_amount,
    said(l.sku) AS sku,
    money(l.price * l.quantity) AS total_ex_tax,
    money(l.price * l.quantity) AS total_inc_tax,
    money(0) AS total_tax,
    kind AS type,
    '' AS upc,
    coalesce(variant_id(l.variant_id), 0) AS variant_id
FROM kinds l
JOIN made."order" o ON o.id = l.order_id
LEFT JOIN returned ON returned.line_id = l.id
LEFT JOIN discounts ON discounts.line_id = l.id
