-- asked_events(since, until, members_of, consented_to, in_space, events_from)
-- What the people did who are asked about, and whether what is counted may begin there (begins)
SELECT e.space, e.profile_id, e.event_time, e.message_id, e.event, e.properties, e.context,
  begins_at(e.space, e.profile_id, e.event_time, since, until, members_of) AS begins
FROM query_table(events_from) e
WHERE (in_space IS NULL OR e.space = in_space)
  AND (consented_to IS NULL OR (e.space, e.profile_id) IN (SELECT (g.space, g.profile_id) FROM granted(consented_to) g))
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(members_of) WHERE members_of IS NOT NULL
