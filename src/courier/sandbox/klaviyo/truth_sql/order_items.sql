SELECT
    event_id, line_no, order_id, profile_id, product_id, variant_id, sku, quantity, line_value,
    to_timestamp("at") AS datetime
FROM made.item
