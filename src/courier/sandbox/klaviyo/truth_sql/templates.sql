SELECT id, name, editor_type, html, text, amp, to_timestamp(created) AS created, to_timestamp(updated) AS updated
FROM made.template
