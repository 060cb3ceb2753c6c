SELECT id::BIGINT AS product_id, unnest(tags) AS value
FROM made.product
