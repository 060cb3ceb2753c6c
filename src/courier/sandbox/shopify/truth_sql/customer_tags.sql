SELECT id::BIGINT AS customer_id, unnest(tags) AS value
FROM made.customer
