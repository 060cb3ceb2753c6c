WITH person AS (
    SELECT state, split_part(email, '@', 2) AS host
    FROM shopify.customer
)

SELECT state, mode(host) AS host, count(*) AS customers
FROM person
GROUP BY state
