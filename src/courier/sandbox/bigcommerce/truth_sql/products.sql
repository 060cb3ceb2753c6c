WITH firsts AS (FROM made.variant QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY position, id) = 1),
stock AS (
    SELECT product_id AS owner, count(*) AS variants, sum(coalesce(inventory_quantity, 0)) AS level
    FROM made.variant GROUP BY 1
),
rated AS (SELECT product_id AS owner, count(*) AS n, sum(rating) AS total FROM made.review
    WHERE status = 'approved' GROUP BY 1),
numbered AS (SELECT *, product_id(id) AS number FROM made.product)
SELECT
    CASE WHEN p.status = 'ACTIVE' THEN 'available' ELSE 'disabled' END AS availability,
    CASE WHEN stock.variants = 1 THEN variant_id(f.id) END AS base_variant_id,
    (list_position(['Example Goods', 'Sample & Sons', 'Madeup Mills', 'Ünlaut', ''], vendor) - 1)::BIGINT AS brand_id,
    money(f.price) AS calculated_price,
    '[' || (19 + list_position(['Kitchen', 'Home', 'Apparel', 'Stationery', 'Outdoor', '', 'Toys & Games'],
        product_type)) || ',99]' AS categories,
    CASE WHEN number % 2 = 1 THEN '[1,3]' ELSE '[1]' END AS channels,
    'New' AS condition,
    money(f.price // 2) AS cost_price,
    '[{"id":' || (number * 10) || ',"name":"Handle","value":' || to_json(handle) || '}]' AS custom_fields,
    instant(p.created_at) AS date_created,
    instant(p.updated_at) AS date_modified,
    description_html AS description,
    '' AS gtin,
    number AS id,
    stock.level::BIGINT AS inventory_level,
    p.status = 'ACTIVE' AS is_visible,
    'MPN-' || number AS mpn,
    p.title AS name,
    money(f.price) AS price,
    money(coalesce(f.compare_at_price, 0)) AS retail_price,
    coalesce(rated.n, 0)::BIGINT AS reviews_count,
    coalesce(rated.total, 0)::BIGINT AS reviews_rating_sum,
    money(0) AS sale_price,
    said(f.sku) AS sku,
    (number * 3 % 50)::BIGINT AS total_sold,
    CASE WHEN f.requires_shipping THEN 'physical' ELSE 'digital' END AS type,
    said(f.barcode) AS upc
FROM numbered p
JOIN firsts f ON f.product_id = p.id
JOIN stock ON stock.owner = p.id
LEFT JOIN rated ON rated.owner = number
