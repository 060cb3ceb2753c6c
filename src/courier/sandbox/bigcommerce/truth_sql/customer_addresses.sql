WITH fields AS (
    SELECT address_id, '{"name":' || to_json(name) || ',"value":' || value || '}' AS shown FROM made.form_field
)
SELECT
    said(place.address1) AS address1,
    said(place.address2) AS address2,
    CASE WHEN address_id(id) % 4 = 0 THEN 'commercial' ELSE 'residential' END AS address_type,
    said(place.city) AS city,
    said(company) AS company,
    said(place.country) AS country,
    said(place.country_code) AS country_code,
    customer_id(customer_id) AS customer_id,
    said(first_name) AS first_name,
    listed((SELECT list(shown) FROM fields WHERE fields.address_id = address_id(address.id))) AS form_fields,
    address_id(id) AS id,
    said(last_name) AS last_name,
    said(phone) AS phone,
    said(place.zip) AS postal_code,
    said(place.province) AS state_or_province
FROM made.address
