-- One row per message of a live flow that lags: over the last $days days it was clicked, or led to an order, less than
-- $behind times as often as the median message of the account on the same channel. Rates are made of the sums of counts,
-- never of rates. The interval of the click rate (Wilson, 95%) says how far a small number may be trusted. The weakest
-- $at_most are rewritten; messages with fewer than $min_recipients recipients are not judged.
WITH message AS (
    SELECT
        flow_id,
        flow_message_id,
        send_channel,
        sum(recipients) AS recipients,
        sum(delivered) AS delivered,
        sum(clicks_unique) / nullif(sum(delivered), 0) AS click_rate,
        sum(conversion_uniques) / nullif(sum(delivered), 0) AS order_rate
    FROM klaviyo.flow_series_report
    WHERE date_time >= $as_of::TIMESTAMPTZ - to_days($days::INTEGER) AND send_channel IN ('email', 'sms')
    GROUP BY flow_id, flow_message_id, send_channel
    HAVING sum(recipients) >= $min_recipients AND sum(delivered) > 0
),

usual AS (
    SELECT
        send_channel,
        median(click_rate) AS click_rate,
        median(order_rate) AS order_rate
    FROM message
    GROUP BY send_channel
),

lagging AS (
    SELECT
        message.*,
        usual.click_rate AS usual_click_rate,
        usual.order_rate AS usual_order_rate,
        least(
            coalesce(message.click_rate / nullif(usual.click_rate, 0), 1),
            coalesce(message.order_rate / nullif(usual.order_rate, 0), 1)
        ) AS behind,
        3.8416 / message.delivered AS z2 -- z is 1.96
    FROM message
    JOIN usual ON usual.send_channel = message.send_channel
)

SELECT
    lagging.flow_message_id AS message_id,
    flow.name AS flow,
    CASE lagging.send_channel WHEN 'email' THEN 'e-mail' ELSE 'text message' END AS channel,
    coalesce(text.definition__subject_line, left(text.definition__body, 1000), 'unknown') AS wording,
    coalesce(text.definition__preview_text, 'none') AS preview,
    lagging.recipients::BIGINT AS customers,
    round(100 * lagging.click_rate)::INTEGER AS clicked,
    round(100 * lagging.usual_click_rate)::INTEGER AS usually_clicked,
    round(100 * greatest(0, (lagging.click_rate + z2 / 2 - sqrt(z2 * (lagging.click_rate * (1 - lagging.click_rate) + z2 / 4))) / (1 + z2)))::INTEGER AS clicked_low,
    round(100 * least(1, (lagging.click_rate + z2 / 2 + sqrt(z2 * (lagging.click_rate * (1 - lagging.click_rate) + z2 / 4))) / (1 + z2)))::INTEGER AS clicked_high,
    round(100 * lagging.order_rate)::INTEGER AS ordered,
    round(100 * lagging.usual_order_rate)::INTEGER AS usually_ordered
FROM lagging
JOIN klaviyo.flows AS flow ON flow.id = lagging.flow_id
JOIN klaviyo.flow_messages AS text ON text.id = lagging.flow_message_id
WHERE flow.status = 'live' AND NOT flow.archived AND lagging.behind < $behind
ORDER BY lagging.behind, lagging.flow_message_id
LIMIT $at_most
