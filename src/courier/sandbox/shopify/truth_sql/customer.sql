SELECT
    to_timestamp(customer.created_at) AS created_at,
    coalesce(last_order.presentment_currency, shop_currency()) AS currency,
    customer.email,
    customer.first_name,
    customer.id::BIGINT AS id,
    customer.last_name,
    customer.last_order_id::BIGINT AS last_order_id,
    last_order.name AS last_order_name,
    customer.multipass_identifier,
    customer.note,
    customer.orders_count::BIGINT AS orders_count,
    customer.phone,
    lower(customer.state) AS state,
    array_to_string(customer.tags, ', ') AS tags,
    customer.tax_exempt,
    money(customer.amount_spent) AS total_spent,
    to_timestamp(customer.updated_at) AS updated_at,
    customer.verified_email
FROM made.customer
LEFT JOIN made."order" AS last_order ON last_order.id = customer.last_order_id
