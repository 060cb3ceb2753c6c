SELECT
    id, name, definition, to_timestamp(created) AS created, to_timestamp(updated) AS updated, is_active, is_processing,
    is_starred, (SELECT count(*) FROM made.member m WHERE m.kind = 'segment' AND m.group_id = g.id) AS profile_count
FROM made.group g WHERE kind = 'segment'
