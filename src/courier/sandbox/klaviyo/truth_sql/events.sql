SELECT
    id, uuid, metric_id, profile_id, to_timestamp("at") AS datetime, "at" AS timestamp, properties AS event_properties,
    value, event_key, flow AS attributed_flow
FROM made.event WHERE NOT stray
