WITH taxes AS (SELECT refund_id AS owner, sum(tax) AS cents FROM made.refund_line GROUP BY 1)
SELECT
    instant(r.updated_at) AS created,
    refund_id(r.id) AS id,
    order_id(o.number) AS order_id,
    CASE WHEN r.id % 3 = 0 THEN 'Changed my mind' ELSE '' END AS reason,
    money(r.total) AS total_amount,
    money(coalesce(taxes.cents, 0)) AS total_tax,
    7::BIGINT AS user_id,
    r.id % 5 = 0 AS uses_merchant_override_values
FROM made.refund r JOIN made."order" o ON o.id = r.order_id LEFT JOIN taxes ON taxes.owner = r.id
