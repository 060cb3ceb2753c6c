SELECT
    id, campaign_id, channel AS definition__channel, label AS definition__label, subject AS definition__content__subject,
    preview_text AS definition__content__preview_text, from_label AS definition__content__from_label,
    body AS definition__content__body, media_url AS definition__content__media_url, template_id,
    to_timestamp(created_at) AS created_at, to_timestamp(updated_at) AS updated_at
FROM made.campaign_message
