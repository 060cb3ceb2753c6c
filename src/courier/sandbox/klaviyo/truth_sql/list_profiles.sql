SELECT group_id AS list_id, profile_id FROM made.member WHERE kind = 'list'
