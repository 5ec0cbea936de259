-- in_sessions(gap, since, until, members_of, consented_to, in_space, events_from)
-- What the people did who are asked about, with the number of its session; begins is of the session's start
WITH begun AS (
  SELECT *, coalesce(event_time - lag(event_time) OVER person > span('gap', gap), true) AS opens
  FROM asked_events(since, until, members_of, consented_to, in_space, events_from) WINDOW person AS (PARTITION BY space, profile_id ORDER BY event_time, message_id)),
numbered AS (
  SELECT * EXCLUDE (opens), CAST(count(*) FILTER (opens) OVER (PARTITION BY space, profile_id ORDER BY event_time, message_id) AS INTEGER) AS session FROM begun)
SELECT * EXCLUDE (begins), first(begins) OVER (PARTITION BY space, profile_id, session ORDER BY event_time, message_id) AS begins FROM numbered
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE span('gap', gap) IS NULL
