WITH taken AS (
    SELECT order_id AS owner, application_index, sum(amount) AS cents FROM made.allocation GROUP BY ALL
)
SELECT
    coalesce(round(a.percentage, 4)::DECIMAL(19,4), money(coalesce(a.amount, 0))) AS amount,
    a.label AS code,
    length(a.label)::BIGINT AS coupon_id,
    money(taken.cents) AS discount,
    order_id(o.number) * 8 + a.index AS id,
    order_id(o.number) AS order_id,
    (CASE WHEN a.percentage IS NULL THEN 2 ELSE 1 END)::BIGINT AS type
FROM made.application a
JOIN made."order" o ON o.id = a.order_id
JOIN taken ON taken.owner = o.id AND taken.application_index = a.index
WHERE a.kind = 'code' AND taken.cents > 0
