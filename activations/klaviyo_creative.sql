-- One row per way to write to people, e-mail and text message: the message that went to most of them, and what all the
-- campaigns of that way brought. Rates are made of the sums of counts, never of rates; a text message is not opened.
-- `customers`: who may be written to in this way, by their own consent; without enough of them the row stays here.
WITH audience AS (
    SELECT
        'email' AS channel,
        count(*) AS customers
    FROM klaviyo.profiles
    WHERE subscriptions__email__marketing__can_receive_email_marketing
    UNION ALL
    SELECT
        'sms' AS channel,
        count(*) AS customers
    FROM klaviyo.profiles
    WHERE subscriptions__sms__marketing__can_receive_sms_marketing
),

sent AS (
    SELECT
        report.send_channel AS channel,
        report.campaign_message_id,
        sum(report.recipients) AS recipients,
        sum(report.delivered) AS delivered,
        sum(report.clicks_unique) AS clicks,
        sum(report.unsubscribe_uniques) AS unsubscribes
    FROM klaviyo.campaign_values_report AS report
    WHERE report.send_channel IN ('email', 'sms')
    GROUP BY report.send_channel, report.campaign_message_id
),

total AS (
    SELECT
        channel,
        sum(delivered) AS delivered,
        sum(clicks) AS clicks,
        sum(unsubscribes) AS unsubscribes
    FROM sent
    GROUP BY channel
),

creative AS (
    SELECT
        sent.channel,
        coalesce(message.definition__content__subject, message.definition__content__body) AS text
    FROM sent
    JOIN klaviyo.campaign_messages AS message ON message.id = sent.campaign_message_id
    WHERE coalesce(message.definition__content__subject, message.definition__content__body) <> ''
    QUALIFY row_number() OVER (PARTITION BY sent.channel ORDER BY sent.recipients DESC, sent.campaign_message_id) = 1
)

SELECT
    CASE audience.channel WHEN 'email' THEN 'E-mail' ELSE 'Text message' END AS channel,
    left(creative.text, 300) AS creative,
    audience.customers,
    coalesce(round(100 * total.clicks / nullif(total.delivered, 0))::INTEGER::VARCHAR || '%', 'an unknown part') AS clicked,
    coalesce(round(100 * total.unsubscribes / nullif(total.delivered, 0), 1)::VARCHAR || '%', 'an unknown part') AS left_us
FROM audience
JOIN total ON total.channel = audience.channel
JOIN creative ON creative.channel = audience.channel
WHERE total.delivered >= $min_cohort_size
ORDER BY channel
