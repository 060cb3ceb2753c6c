WITH typed AS (SELECT id AS order_id, unnest(discount_codes) AS code FROM made."order"),

taken AS (
    SELECT order_id, application_index, sum(amount) AS amount
    FROM made.allocation
    GROUP BY ALL
)

SELECT
    money(coalesce(sum(taken.amount), 0)::BIGINT) AS amount,
    typed.code,
    typed.order_id::BIGINT AS order_id,
    CASE
        WHEN any_value(application.target_type) = 'SHIPPING_LINE' THEN 'shipping'
        WHEN any_value(application.amount) IS NOT NULL THEN 'fixed_amount'
        WHEN any_value(application.percentage) IS NOT NULL THEN 'percentage'
    END AS type
FROM typed
LEFT JOIN made.application
    ON application.order_id = typed.order_id
    AND application.kind = 'code'
    AND lower(application.label) = lower(typed.code)
LEFT JOIN taken ON taken.order_id = application.order_id AND taken.application_index = application.index
GROUP BY typed.order_id, typed.code
