SELECT
    id, channel, name, status, archived, included AS audiences__included, excluded AS audiences__excluded,
    to_timestamp(send_time) AS send_time, to_timestamp(scheduled_at) AS scheduled_at,
    to_timestamp(created_at) AS created_at, to_timestamp(updated_at) AS updated_at, method AS send_strategy__method
FROM made.campaign
