SELECT
    barcode,
    money(compare_at_price) AS compare_at_price,
    to_timestamp(created_at) AS created_at,
    NULL::VARCHAR AS fulfillment_service,
    grams(weight_unit, weight_value) AS grams,
    id::BIGINT AS id,
    inventory_item_id::BIGINT AS inventory_item_id,
    CASE WHEN tracked THEN 'shopify' END AS inventory_management,
    lower(inventory_policy) AS inventory_policy,
    inventory_quantity::BIGINT AS inventory_quantity,
    option_values[1] AS option1,
    option_values[2] AS option2,
    option_values[3] AS option3,
    position::BIGINT AS position,
    money(price) AS price,
    product_id::BIGINT AS product_id,
    requires_shipping,
    sku,
    taxable,
    title,
    to_timestamp(updated_at) AS updated_at,
    weight_value AS weight,
    CASE weight_unit
        WHEN 'KILOGRAMS' THEN 'kg'
        WHEN 'GRAMS' THEN 'g'
        WHEN 'POUNDS' THEN 'lb'
        WHEN 'OUNCES' THEN 'oz'
    END AS weight_unit
FROM made.variant
