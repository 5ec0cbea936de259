-- asked_touches(since, until, members_of, consented_to, in_space, touches_from)
-- The touches of the people who are asked about, and whether a path may end there (begins)
SELECT t.space, t.profile_id, t.event_time, t.message_id, t.channel, begins_at(t.space, t.profile_id, t.event_time, since, until, members_of) AS begins
FROM query_table(touches_from) t
WHERE asks_about(t.space, t.profile_id, consented_to, in_space)
