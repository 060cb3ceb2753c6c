-- Customers by the domain of their address.
SELECT
    id,
    split_part(mail, chr(64), 2) AS host
FROM customer
