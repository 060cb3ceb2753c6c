SELECT instant(created_at) AS date_created, instant(created_at) AS date_modified, id::BIGINT AS id, name, type
FROM made.attribute
