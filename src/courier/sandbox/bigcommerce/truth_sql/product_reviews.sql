SELECT
    instant(created_at) AS date_created,
    instant(created_at) AS date_modified,
    instant(created_at) AS date_reviewed,
    email,
    id::BIGINT AS id,
    name,
    product_id::BIGINT AS product_id,
    rating::BIGINT AS rating,
    status,
    text,
    title
FROM made.review
