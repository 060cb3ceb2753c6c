SELECT
    lower(lpad(to_hex(id), 32, '0')) AS compare_digest,
    to_timestamp(created_at) AS created_at,
    owner_id::BIGINT AS customer_id,
    id::BIGINT AS id,
    key,
    namespace,
    type,
    to_timestamp(updated_at) AS updated_at,
    value
FROM made.metafield
WHERE owner = 'CUSTOMER'
