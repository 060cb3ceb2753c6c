SELECT mapped AS id, id AS metric_id, NULL::VARCHAR AS custom_metric_id, to_timestamp(updated) AS updated
FROM made.metric WHERE mapped IS NOT NULL
