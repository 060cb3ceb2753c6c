WITH addresses AS (SELECT customer_id AS owner, count(*) AS n FROM made.address GROUP BY 1),
attributes AS (SELECT customer_id AS owner, count(*) AS n FROM made.attribute_value GROUP BY 1),
numbered AS (SELECT *, customer_id(id) AS number FROM made.customer)
SELECT
    number % 3 = 0 AS accepts_product_review_abandoned_cart_emails,
    coalesce(addresses.n, 0)::BIGINT AS address_count,
    coalesce(attributes.n, 0)::BIGINT AS attribute_count,
    state = 'INVITED' AS authentication__force_password_reset,
    CASE WHEN number % 2 = 1 THEN '[1,2]' ELSE '[1]' END AS channel_ids,
    '' AS company,
    (number % 4)::BIGINT AS customer_group_id,
    instant(created_at) AS date_created,
    instant(updated_at) AS date_modified,
    said(email) AS email,
    said(first_name) AS first_name,
    number AS id,
    said(last_name) AS last_name,
    said(note) AS notes,
    (1 + number % 2)::BIGINT AS origin_channel_id,
    said(phone) AS phone,
    CASE WHEN number % 2 = 1 THEN '192.0.2.' || (number % 256) ELSE '' END AS registration_ip_address,
    CASE WHEN number % 5 = 0 THEN '[]' ELSE '["00000000-0000-0000-0000-00000000000' || (number % 5) || '"]' END
        AS segment_ids,
    CASE WHEN number % 3 <> 0 THEN '00000000-0000-0000-0000-' || lpad(lower(to_hex(number)), 12, '0') END
        AS shopper_profile_id,
    money(orders_count * 125) AS store_credit,
    CASE WHEN tax_exempt THEN 'E' ELSE '' END AS tax_exempt_category
FROM numbered LEFT JOIN addresses ON addresses.owner = numbered.id LEFT JOIN attributes ON attributes.owner = number
