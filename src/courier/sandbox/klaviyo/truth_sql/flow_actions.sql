SELECT id, flow_id, type, to_timestamp(created) AS created, to_timestamp(updated) AS updated, definition
FROM made.flow_action
