SELECT
    lower(lpad(to_hex(id), 32, '0')) AS compare_digest,
    to_timestamp(created_at) AS created_at,
    id::BIGINT AS id,
    key,
    namespace,
    type,
    to_timestamp(updated_at) AS updated_at,
    value,
    owner_id::BIGINT AS variant_id
FROM made.metafield
WHERE owner = 'PRODUCT_VARIANT'
