-- started(start_event, since, until, members_of, consented_to, in_space, events_from)
-- When people did something, or (segment.NAME) entered a segment, and whether what is counted may begin there (begins)
SELECT space, profile_id, event_time AS started_at, begins
FROM asked_events(since, until, members_of, consented_to, in_space, events_from) WHERE event = start_event AND start_event NOT LIKE 'segment.%'
UNION ALL
SELECT s.space, s.profile_id, s.entered_at, begins_at(s.space, s.profile_id, s.entered_at, since, until, members_of)
FROM stays_of(substr(start_event, 9)) s
WHERE start_event LIKE 'segment.%' AND asks_about(s.space, s.profile_id, consented_to, in_space)
UNION ALL
SELECT NULL, NULL, NULL, NULL FROM known_segment(substr(start_event, 9)) WHERE start_event LIKE 'segment.%'
