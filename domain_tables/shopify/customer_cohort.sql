-- The purchase cohort of each customer who has ordered. Definition, version 1: VIP has 6 or more orders, or has spent 500
-- or more in the shop's currency, or is tagged vip; Returning has 2 to 5 orders; New has 1. Whoever has no orders is in
-- none. Activations read cohorts here and nowhere else: a change of the definition is a new version, here. The names stand
-- in those of personas: Shopify Returning Customer.
SELECT
    customer.id AS customer_id,
    CASE
        WHEN customer.orders_count >= 6 OR customer.total_spent >= 500 THEN 'VIP'
        WHEN list_contains(string_split(lower(customer.tags), ', '), 'vip') THEN 'VIP'
        WHEN customer.orders_count >= 2 THEN 'Returning'
        ELSE 'New'
    END AS cohort,
    customer.orders_count,
    customer.total_spent,
    -- of total_spent; customer.currency is the one in which the last order was paid
    (SELECT "order".currency FROM "order" ORDER BY "order".processed_at DESC, "order".id DESC LIMIT 1) AS currency
FROM customer
WHERE customer.orders_count > 0
