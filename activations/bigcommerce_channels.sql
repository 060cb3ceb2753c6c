-- One row per channel of a BigCommerce store: what it sold in the last $days days, in the store's own currency. Orders
-- that brought nothing (incomplete, pending, cancelled, declined, awaiting payment), archived ones and history that was
-- migrated (M-MIG) do not count; what was refunded stands beside the revenue. An order of a guest counts as one customer.
WITH paid AS (
    SELECT
        id,
        channel_id,
        customer_id,
        total_inc_tax / nullif(store_default_to_transactional_exchange_rate, 0) AS revenue,
        store_default_to_transactional_exchange_rate AS rate
    FROM bigcommerce.orders
    WHERE NOT is_deleted
        AND status_id NOT IN (0, 1, 5, 6, 7)
        AND coalesce(external_source, '') <> 'M-MIG'
        AND date_created >= $as_of::TIMESTAMPTZ - to_days($days::INTEGER)
        AND date_created < $as_of::TIMESTAMPTZ
),

first_order AS (
    SELECT
        customer_id,
        min(id) AS id,
        true AS is_first
    FROM bigcommerce.orders
    WHERE customer_id > 0 AND NOT is_deleted AND status_id NOT IN (0, 1, 5, 6, 7)
    GROUP BY customer_id
),

refund AS (
    SELECT
        order_id,
        sum(total_amount) AS amount
    FROM bigcommerce.order_refunds
    GROUP BY order_id
)

SELECT
    channel.name AS channel,
    channel.type,
    count(*) AS orders,
    sum(paid.revenue)::DECIMAL(18, 2) AS revenue,
    (sum(paid.revenue) / count(*))::DECIMAL(18, 2) AS average_order,
    coalesce(sum(refund.amount / nullif(paid.rate, 0)), 0)::DECIMAL(18, 2) AS refunds,
    round(100 * sum(paid.revenue) / nullif(sum(sum(paid.revenue)) OVER (), 0))::INTEGER AS revenue_share,
    round(
        100 * count(*) FILTER (first_order.is_first) / nullif(count(*) FILTER (paid.customer_id > 0), 0)
    )::INTEGER AS new_customer_share, -- null where all are guests
    count(DISTINCT nullif(paid.customer_id, 0)) + count(*) FILTER (paid.customer_id = 0) AS customers
FROM paid
JOIN bigcommerce.channels AS channel ON channel.id = paid.channel_id
LEFT JOIN refund ON refund.order_id = paid.id
LEFT JOIN first_order ON first_order.id = paid.id
GROUP BY channel.id, channel.name, channel.type
ORDER BY revenue DESC, channel
