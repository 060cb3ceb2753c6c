WITH gross AS (
    SELECT order_id, sum(price * quantity)::BIGINT AS cents FROM made.line GROUP BY order_id
)

SELECT
    placed.app_id::BIGINT AS app_id,
    placed.client_ip AS browser_ip,
    placed.accepts_marketing AS buyer_accepts_marketing,
    lower(placed.cancel_reason) AS cancel_reason,
    to_timestamp(placed.cancelled_at) AS canceled_at,
    placed.cart_token,
    placed.checkout_token,
    to_timestamp(placed.closed_at) AS closed_at,
    to_timestamp(placed.created_at) AS created_at,
    placed.currency,
    money(placed.current_subtotal) AS current_subtotal_price,
    money(placed.current_discounts) AS current_total_discounts,
    money(placed.current_price) AS current_total_price,
    money(placed.current_tax) AS current_total_tax,
    placed.customer_id::BIGINT AS customer_id,
    placed.locale AS customer_locale,
    placed.email,
    placed.estimated_taxes,
    lower(placed.financial_status) AS financial_status,
    CASE placed.fulfillment_status
        WHEN 'FULFILLED' THEN 'fulfilled'
        WHEN 'PARTIALLY_FULFILLED' THEN 'partial'
        WHEN 'RESTOCKED' THEN 'restocked'
    END AS fulfillment_status,
    placed.id::BIGINT AS id,
    CASE WHEN placed.journey = 'ready' THEN placed.landing_page END AS landing_site,
    placed.location_id::BIGINT AS location_id,
    placed.name,
    placed.note,
    placed.number::BIGINT AS number,
    placed.number::BIGINT AS order_number,
    placed.phone,
    placed.presentment_currency,
    to_timestamp(placed.processed_at) AS processed_at,
    NULL::VARCHAR AS processing_method,
    CASE WHEN placed.journey = 'ready' THEN placed.referrer END AS referring_site,
    placed.source_name,
    placed.source_identifier,
    placed.source_url,
    money(placed.subtotal) AS subtotal_price,
    array_to_string(placed.tags, ', ') AS tags,
    placed.taxes_included,
    placed.test,
    placed.token,
    money(placed.total_discounts) AS total_discounts,
    money(coalesce(gross.cents, 0)) AS total_line_items_price,
    money(placed.outstanding) AS total_outstanding,
    money(placed.total_price) AS total_price,
    money(placed.total_tax) AS total_tax,
    money(placed.total_tip) AS total_tip_received,
    placed.total_weight::BIGINT AS total_weight,
    to_timestamp(placed.updated_at) AS updated_at,
    NULL::BIGINT AS user_id
FROM made."order" AS placed
LEFT JOIN gross ON gross.order_id = placed.id
