SELECT
    attribute_id::BIGINT AS attribute_id,
    value AS attribute_value,
    customer_id::BIGINT AS customer_id,
    instant(created_at) AS date_created,
    instant(updated_at) AS date_modified,
    id::BIGINT AS id
FROM made.attribute_value
