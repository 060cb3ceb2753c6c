SELECT
    CASE WHEN id = 11 THEN upper(label) ELSE label END AS custom_label,
    id::BIGINT AS id,
    label AS name,
    'An order that is ' || lower(label) || '.' AS system_description,
    label AS system_label
FROM (SELECT unnest(statuses()) AS label, unnest(range(15)) AS id)
