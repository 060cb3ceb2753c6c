SELECT
    lower(lpad(to_hex(id), 32, '0')) AS compare_digest,
    to_timestamp(created_at) AS created_at,
    id::BIGINT AS id,
    key,
    namespace,
    owner_id::BIGINT AS order_id,
    type,
    to_timestamp(updated_at) AS updated_at,
    value
FROM made.metafield
WHERE owner = 'ORDER'
