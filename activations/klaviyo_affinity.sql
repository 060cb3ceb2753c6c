-- One row per pair of products that are bought together: of the orders with either, the $pairs pairs with the highest
-- lift. An order counts a product once. support: of all orders; confidence: of the orders with the first, those with the
-- second too; lift: how much more often than if they had nothing to do with each other.
WITH basket AS (
    SELECT DISTINCT
        item.order_id,
        item.profile_id,
        product.id AS product_id,
        product.title
    FROM klaviyo.order_items AS item
    JOIN klaviyo.catalog_items AS product ON product.external_id = item.product_id
    WHERE item.order_id IS NOT NULL AND product.title <> ''
),

orders AS (
    SELECT count(DISTINCT order_id) AS total
    FROM klaviyo.order_items
    WHERE product_id IS NOT NULL
),

single AS (
    SELECT
        product_id,
        count(DISTINCT order_id) AS orders
    FROM basket
    GROUP BY product_id
),

pair AS (
    SELECT
        a.product_id AS a_id,
        b.product_id AS b_id,
        a.title AS product_a,
        b.title AS product_b,
        count(DISTINCT a.order_id) AS together,
        count(DISTINCT a.profile_id) AS customers
    FROM basket AS a
    JOIN basket AS b ON a.order_id = b.order_id AND a.product_id < b.product_id
    GROUP BY a.product_id, b.product_id, a.title, b.title
    HAVING count(DISTINCT a.profile_id) >= $min_cohort_size
)

SELECT
    pair.product_a,
    pair.product_b,
    pair.together,
    pair.customers,
    round(100 * pair.together / orders.total, 2) AS support,
    round(100 * pair.together / a.orders)::INTEGER AS confidence,
    round(pair.together * orders.total / (a.orders * b.orders), 4) AS lift,
    round(100 * (pair.together * orders.total / (a.orders * b.orders) - 1))::INTEGER AS more
FROM pair
CROSS JOIN orders
JOIN single AS a ON a.product_id = pair.a_id
JOIN single AS b ON b.product_id = pair.b_id
WHERE pair.together * orders.total > a.orders * b.orders -- together more often than by chance
ORDER BY lift DESC, pair.together DESC, pair.product_a, pair.product_b
LIMIT $pairs
