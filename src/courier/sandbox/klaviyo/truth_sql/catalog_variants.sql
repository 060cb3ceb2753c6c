SELECT
    id, item_id, external_id, title, sku, price, inventory_quantity, inventory_policy, published,
    to_timestamp(created) AS created, to_timestamp(updated) AS updated
FROM made.catalog_variant
