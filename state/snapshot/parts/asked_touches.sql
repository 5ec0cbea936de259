-- asked_touches(since, until, members_of, consented_to, in_space, touches_from)
-- The touches of the people who are asked about, and whether a path may end there (begins)
SELECT t.space, t.profile_id, t.event_time, t.message_id, t.channel, begins_at(t.space, t.profile_id, t.event_time, since, until, members_of) AS begins
FROM query_table(touches_from) t
WHERE (in_space IS NULL OR t.space = in_space)
  AND (consented_to IS NULL OR (t.space, t.profile_id) IN (SELECT (g.space, g.profile_id) FROM granted(consented_to) g))
