SELECT
    line_id(line_id) AS item_id,
    'PRODUCT' AS item_type,
    quantity::BIGINT AS quantity,
    restock_type AS reason,
    refund_id(refund_id) AS refund_id,
    money(subtotal + tax) AS requested_amount
FROM made.refund_line
UNION ALL BY NAME
SELECT
    order_id(o.number) AS item_id,
    'ORDER' AS item_type,
    1::BIGINT AS quantity,
    NULL::VARCHAR AS reason,
    refund_id(r.id) AS refund_id,
    money(r.total) AS requested_amount
FROM made.refund r JOIN made."order" o ON o.id = r.order_id
WHERE NOT EXISTS (FROM made.refund_line l WHERE l.refund_id = r.id)
