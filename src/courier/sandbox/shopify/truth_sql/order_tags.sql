SELECT id::BIGINT AS order_id, unnest(tags) AS value
FROM made."order"
