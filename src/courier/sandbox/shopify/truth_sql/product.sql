SELECT
    description_html AS body_html,
    to_timestamp(created_at) AS created_at,
    handle,
    id::BIGINT AS id,
    product_type,
    to_timestamp(published_at) AS published_at,
    NULL::VARCHAR AS published_scope,
    lower(status) AS status,
    array_to_string(tags, ', ') AS tags,
    template_suffix,
    title,
    to_timestamp(updated_at) AS updated_at,
    vendor
FROM made.product
