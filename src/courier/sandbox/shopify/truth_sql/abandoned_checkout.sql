SELECT
    to_timestamp(completed_at) AS completed_at,
    to_timestamp(created_at) AS created_at,
    currency,
    customer_id::BIGINT AS customer_id,
    array_to_string(discount_codes, ', ') AS discount_codes,
    id::BIGINT AS id,
    name,
    note,
    money(subtotal) AS subtotal_price,
    taxes_included,
    money(discounts) AS total_discounts,
    money(duties) AS total_duties,
    money(line_items_price) AS total_line_items_price,
    money(total) AS total_price,
    money(tax) AS total_tax,
    to_timestamp(updated_at) AS updated_at
FROM made.checkout
