SELECT state, count(*) AS people
FROM shopify.customer
GROUP BY state
