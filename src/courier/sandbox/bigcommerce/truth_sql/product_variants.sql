WITH prices AS (
    SELECT product_id AS owner, price FROM made.variant
    QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY position, id) = 1
)
SELECT
    money(v.price) AS calculated_price,
    money(v.price // 2) AS cost_price,
    variant_id(id) AS id,
    coalesce(inventory_quantity, 0)::BIGINT AS inventory_level,
    listed(list_transform(range(len(option_values)), lambda place:
        '{"id":' || (variant_id(id) * 4 + place) || ',"label":' || to_json(option_values[place + 1])
        || ',"option_display_name":' || to_json(option_names[place + 1]) || '}')) AS option_values,
    CASE WHEN v.price <> prices.price THEN money(v.price) END AS price,
    product_id(product_id) AS product_id,
    inventory_policy = 'DENY' AND coalesce(inventory_quantity, 0) <= 0 AS purchasing_disabled,
    money(compare_at_price) AS retail_price,
    NULL::DECIMAL(19,4) AS sale_price,
    said(sku) AS sku,
    CASE WHEN sku IS NOT NULL THEN variant_id(id) + 5 END AS sku_id,
    said(barcode) AS upc
FROM made.variant v JOIN prices ON prices.owner = v.product_id
