-- What each customer's orders add up to, beside what Shopify says of the customer. Shopify's own figures can lag: an
-- order changes, and the customer's updated_at does not move. Test and cancelled orders are counted, but not as spent,
-- as Shopify does. Only loaded orders count: with `since`, or without the scope read_all_orders, the figures differ.
WITH totals AS (
    SELECT
        customer_id,
        count(*) AS orders_count,
        sum(total_price) FILTER (canceled_at IS NULL AND NOT test) AS total_spent,
        min(processed_at) AS first_order_at,
        max(processed_at) AS last_order_at
    FROM "order"
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id
),

last_orders AS (
    SELECT DISTINCT ON (customer_id)
        customer_id,
        id
    FROM "order"
    WHERE customer_id IS NOT NULL
    ORDER BY customer_id, processed_at DESC, id DESC
)

SELECT
    customer.id AS customer_id,
    coalesce(totals.orders_count, 0) AS orders_count,
    coalesce(totals.total_spent, 0)::DECIMAL(19, 4) AS total_spent,
    totals.first_order_at,
    totals.last_order_at,
    last_orders.id AS last_order_id,
    (coalesce(totals.orders_count, 0), coalesce(totals.total_spent, 0), last_orders.id)
    IS DISTINCT FROM (customer.orders_count, customer.total_spent, customer.last_order_id) AS differs
FROM customer
LEFT JOIN totals ON totals.customer_id = customer.id
LEFT JOIN last_orders ON last_orders.customer_id = customer.id
