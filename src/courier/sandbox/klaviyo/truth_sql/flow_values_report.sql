WITH summed AS (
    SELECT w.starts, w.ends, e.flow AS flow_id, e.message AS flow_message_id, e.channel AS send_channel,
        count(*) FILTER (metric LIKE 'Received%')::DOUBLE AS recipients,
        count(*) FILTER (metric = 'Bounced Email')::DOUBLE AS bounced,
        count(*) FILTER (metric = 'Opened Email')::DOUBLE AS opens,
        count(DISTINCT profile_id) FILTER (metric = 'Opened Email')::DOUBLE AS opens_unique,
        count(*) FILTER (metric LIKE 'Clicked%')::DOUBLE AS clicks,
        count(DISTINCT profile_id) FILTER (metric LIKE 'Clicked%')::DOUBLE AS clicks_unique,
        count(*) FILTER (metric_id = 'MtrOrd')::DOUBLE AS conversions,
        count(DISTINCT profile_id) FILTER (metric_id = 'MtrOrd')::DOUBLE AS conversion_uniques,
        coalesce(sum(round(value * 100)::BIGINT) FILTER (metric_id = 'MtrOrd'), 0) / 100.0::DOUBLE AS conversion_value,
        count(*) FILTER (metric = 'Unsubscribed')::DOUBLE AS unsubscribes,
        count(DISTINCT profile_id) FILTER (metric = 'Unsubscribed')::DOUBLE AS unsubscribe_uniques
    FROM made.event e JOIN made.window w ON e.at BETWEEN w.starts AND w.ends
    WHERE e.flow IS NOT NULL GROUP BY ALL
)
SELECT
    to_timestamp(starts) AS window_start, to_timestamp(ends) AS window_end, 'MtrOrd' AS conversion_metric_id,
    flow_id, flow_message_id, send_channel,
    recipients, recipients - bounced AS delivered,
    CASE WHEN send_channel <> 'sms' THEN opens END AS opens,
    CASE WHEN send_channel <> 'sms' THEN opens_unique END AS opens_unique,
    CASE WHEN send_channel <> 'sms' THEN ratio(opens_unique, recipients - bounced) END AS open_rate,
    clicks, clicks_unique, ratio(clicks_unique, recipients - bounced) AS click_rate,
    CASE WHEN send_channel <> 'sms' THEN ratio(clicks_unique, opens_unique) END AS click_to_open_rate,
    conversions, conversion_uniques, ratio(conversion_uniques, recipients - bounced) AS conversion_rate,
    conversion_value, ratio(conversion_value, recipients - bounced) AS revenue_per_recipient,
    ratio(conversion_value, conversions) AS average_order_value, unsubscribes, unsubscribe_uniques,
    ratio(unsubscribe_uniques, recipients - bounced) AS unsubscribe_rate, bounced,
    ratio(bounced, recipients) AS bounce_rate, 0::DOUBLE AS failed, 0::DOUBLE AS failed_rate,
    0::DOUBLE AS spam_complaints, 0::DOUBLE AS spam_complaint_rate,
    CASE WHEN send_channel = 'sms' THEN recipients ELSE 0 END AS text_message_credit_usage_amount,
    CASE WHEN send_channel = 'sms' THEN recipients / 100 ELSE 0 END AS text_message_spend,
    CASE WHEN send_channel = 'sms' THEN ratio(conversion_value, recipients / 100) ELSE 0 END AS text_message_roi,
    CASE WHEN send_channel = 'sms' THEN recipients ELSE 0 END AS message_segment_count_sum
FROM summed
