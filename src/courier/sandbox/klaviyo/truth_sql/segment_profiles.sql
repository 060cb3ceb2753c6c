SELECT group_id AS segment_id, profile_id, to_timestamp(joined) AS joined_group_at
FROM made.member WHERE kind = 'segment'
