SELECT
    address_id::BIGINT AS address_id,
    CASE WHEN address_id IS NULL THEN owner::BIGINT END AS customer_id,
    md5(CASE WHEN address_id IS NULL THEN 'customer:' || owner ELSE 'address:' || address_id END || ':' || name) AS id,
    name,
    value
FROM made.form_field
