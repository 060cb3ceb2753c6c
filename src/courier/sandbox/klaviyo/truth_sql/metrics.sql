SELECT
    id, name, to_timestamp(created) AS created, to_timestamp(updated) AS updated, integration_id AS integration__id,
    integration_name AS integration__name, integration_category AS integration__category
FROM made.metric
