-- asked_events(since, until, members_of, consented_to, in_space, events_from)
-- What the people did who are asked about, and whether what is counted may begin there (begins)
SELECT e.space, e.profile_id, e.event_time, e.message_id, e.event, e.properties, e.context,
  begins_at(e.space, e.profile_id, e.event_time, since, until, members_of) AS begins
FROM query_table(events_from) e
WHERE asks_about(e.space, e.profile_id, consented_to, in_space)
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(members_of) WHERE members_of IS NOT NULL
