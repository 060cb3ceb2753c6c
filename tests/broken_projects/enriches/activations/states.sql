SELECT state, count(*) AS customers
FROM shopify.customer
GROUP BY state
