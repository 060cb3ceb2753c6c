SELECT
    money(amount) AS amount,
    position::BIGINT AS discount_allocation_index,
    line_id::BIGINT AS order_line_id
FROM made.allocation
WHERE NOT shipping
