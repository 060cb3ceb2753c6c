SELECT
    id, action_id AS flow_action_id, channel, name AS definition__name, subject_line AS definition__subject_line,
    preview_text AS definition__preview_text, from_label AS definition__from_label, body AS definition__body,
    template_id AS definition__template_id, transactional AS definition__transactional,
    smart_sending_enabled AS definition__smart_sending_enabled, to_timestamp(created) AS created,
    to_timestamp(updated) AS updated
FROM made.flow_message
