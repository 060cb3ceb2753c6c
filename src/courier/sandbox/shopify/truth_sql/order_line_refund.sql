SELECT
    id::BIGINT AS id,
    line_id::BIGINT AS line_item_id,
    location_id::BIGINT AS location_id,
    money(subtotal) AS subtotal,
    refund_id::BIGINT AS refund_id,
    lower(restock_type) AS restock_type,
    quantity::BIGINT AS quantity,
    money(tax) AS total_tax
FROM made.refund_line
