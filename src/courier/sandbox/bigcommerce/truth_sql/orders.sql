WITH items AS (
    SELECT order_id AS owner, sum(quantity) AS quantity, bool_or(requires_shipping) AS shipped FROM made.line GROUP BY 1
),
codes AS (
    SELECT a.order_id AS owner, sum(amount) AS cents
    FROM made.allocation a
    JOIN (SELECT order_id, index FROM made.application WHERE kind = 'code') c
        ON c.order_id = a.order_id AND c.index = a.application_index
    GROUP BY 1
),
returned AS (SELECT order_id AS owner, sum(total) AS cents FROM made.refund GROUP BY 1),
posted AS (SELECT DISTINCT order_id AS owner FROM made.shipping_line),
told AS (
    SELECT *, status_of(cancelled_at, financial_status, fulfillment_status) AS status_number,
        presentment_currency <> shop_currency() AS abroad, coalesce(total_tax, 0) AS tax, order_id(number) AS told_id
    FROM made."order"
)
SELECT
    '' AS billing_address__company,
    'Springfield' AS billing_address__city,
    'United States' AS billing_address__country,
    'US' AS billing_address__country_iso2,
    said(email) AS billing_address__email,
    'Buyer' AS billing_address__first_name,
    'No. ' || number AS billing_address__last_name,
    said(phone) AS billing_address__phone,
    'Illinois' AS billing_address__state,
    number || ' Example Street' AS billing_address__street_1,
    CASE WHEN number % 5 = 0 THEN 'Apt. 1' ELSE '' END AS billing_address__street_2,
    '01234' AS billing_address__zip,
    cart_token AS cart_id,
    (CASE source_name WHEN 'pos' THEN 2 WHEN 'Marketplace (example)' THEN 3 ELSE 1 END)::BIGINT AS channel_id,
    money(coalesce(codes.cents, 0)) AS coupon_discount,
    presentment_currency AS currency_code,
    1::DECIMAL(18,10) AS currency_exchange_rate,
    coalesce(customer_id(customer_id), 0) AS customer_id,
    said(locale) AS customer_locale,
    CASE WHEN told_id % 11 = 0 THEN 'Please hurry.' ELSE '' END AS customer_message,
    instant(created_at) AS date_created,
    instant(updated_at) AS date_modified,
    CASE WHEN fulfillment_status = 'FULFILLED' THEN instant(created_at + 86400) END AS date_shipped,
    shop_currency() AS default_currency_code,
    money(greatest(0, coalesce(total_discounts, 0) - coalesce(codes.cents, 0))) AS discount_amount,
    NULL::VARCHAR AS external_id,
    said(source_identifier) AS external_order_id,
    CASE WHEN test THEN 'M-MIG' END AS external_source,
    CASE WHEN client_ip IS NULL THEN '' ELSE 'US' END AS geoip_country_iso2,
    money(0) AS gift_certificate_amount,
    told_id AS id,
    CASE WHEN contains(client_ip, '.') THEN client_ip ELSE '' END AS ip_address,
    CASE WHEN contains(client_ip, ':') THEN client_ip ELSE '' END AS ip_address_v6,
    told_id % 97 = 0 AS is_deleted,
    accepts_marketing AS is_email_opt_in,
    (CASE WHEN fulfillment_status = 'FULFILLED' THEN coalesce(items.quantity, 0) ELSE 0 END)::BIGINT AS items_shipped,
    coalesce(items.quantity, 0)::BIGINT AS items_total,
    NOT coalesce(items.shipped, false) AS order_is_digital,
    CASE source_name WHEN 'web' THEN 'www' WHEN 'pos' THEN 'pos' WHEN 'iphone' THEN 'iphone'
        WHEN 'shopify_draft_order' THEN 'manual' ELSE 'external' END AS order_source,
    CASE source_name WHEN 'pos' THEN 'Cash' ELSE 'Credit Card' END AS payment_method,
    lower(said(financial_status)) AS payment_status,
    money(coalesce(returned.cents, 0)) AS refunded_amount,
    money(CASE WHEN posted.owner IS NULL THEN 0 ELSE 495 END) AS shipping_cost_inc_tax,
    note AS staff_notes,
    statuses()[status_number + 1] AS status,
    status_number::BIGINT AS status_id,
    money(0) AS store_credit_amount,
    shop_currency() AS store_default_currency_code,
    (CASE WHEN abroad THEN 1.23456789 ELSE 1 END)::DECIMAL(18,10) AS store_default_to_transactional_exchange_rate,
    money(coalesce(subtotal, 0) - tax) AS subtotal_ex_tax,
    money(coalesce(subtotal, 0)) AS subtotal_inc_tax,
    money(total_price - tax) AS total_ex_tax,
    money(total_price) AS total_inc_tax,
    money(tax) AS total_tax
FROM told
LEFT JOIN items ON items.owner = told.id
LEFT JOIN codes ON codes.owner = told.id
LEFT JOIN returned ON returned.owner = told.id
LEFT JOIN posted ON posted.owner = told.id
