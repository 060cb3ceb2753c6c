SELECT id FROM customer
