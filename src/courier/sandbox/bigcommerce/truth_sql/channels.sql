SELECT
    instant(created_at) AS date_created,
    instant(updated_at) AS date_modified,
    CASE WHEN id > 2 THEN 'ext-' || id ELSE '' END AS external_id,
    CASE WHEN id > 1 THEN 'https://shop.example.com/icons/' || id || '.svg' END AS icon_url,
    id::BIGINT AS id,
    status IN ('active', 'connected') AS is_enabled,
    true AS is_listable_from_ui,
    id <> 4 AS is_visible,
    name,
    platform,
    status,
    type
FROM made.channel
