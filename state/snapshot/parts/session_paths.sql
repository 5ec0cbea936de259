-- session_paths(gap, collapse, since, until, members_of, consented_to, in_space, events_from)
-- The event names of each session in order, of repeats in a row the first if collapse
SELECT space, profile_id, session, list(event ORDER BY event_time, message_id) AS path
FROM (SELECT *, lag(event) OVER (PARTITION BY space, profile_id, session ORDER BY event_time, message_id) AS before
      FROM in_sessions(gap, since, until, members_of, consented_to, in_space, events_from) WHERE begins)
WHERE NOT collapse OR before IS DISTINCT FROM event
GROUP BY space, profile_id, session
