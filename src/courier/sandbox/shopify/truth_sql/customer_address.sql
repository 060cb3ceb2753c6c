SELECT
    address.place.address1 AS address1,
    address.place.address2 AS address2,
    address.place.city AS city,
    address.company,
    address.place.country AS country,
    address.place.country_code AS country_code,
    address.place.country AS country_name,
    address.customer_id::BIGINT AS customer_id,
    coalesce(address.id = customer.default_address_id, false) AS "default",
    address.first_name,
    address.id::BIGINT AS id,
    address.last_name,
    address.phone,
    address.place.province AS province,
    address.place.province_code AS province_code,
    address.place.zip AS zip
FROM made.address
JOIN made.customer ON customer.id = address.customer_id
