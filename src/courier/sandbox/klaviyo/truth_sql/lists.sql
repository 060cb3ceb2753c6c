SELECT
    id, name, to_timestamp(created) AS created, to_timestamp(updated) AS updated, opt_in_process,
    (SELECT count(*) FROM made.member m WHERE m.kind = 'list' AND m.group_id = g.id) AS profile_count
FROM made.group g WHERE kind = 'list'
