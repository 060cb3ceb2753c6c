SELECT
    id, name, status, archived, trigger_type, to_timestamp(created) AS created, to_timestamp(updated) AS updated
FROM made.flow
