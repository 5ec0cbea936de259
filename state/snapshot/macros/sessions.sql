-- sessions(gap := INTERVAL 30 MINUTES, since := NULL, until := NULL, members_of := NULL, consented_to := NULL, in_space := NULL,
--   events_from := 'timeline')
-- The sessions of people: a silence longer than gap begins a new one, from 1 in a person's life
-- FROM sessions()
SELECT space, profile_id, session, min(event_time) AS started_at, max(event_time) AS ended_at,
  (epoch_us(max(event_time)) - epoch_us(min(event_time))) / 1e6 AS seconds, count(*) AS events,
  first(event ORDER BY event_time, message_id) AS first_event, last(event ORDER BY event_time, message_id) AS last_event
FROM in_sessions(gap, since, until, members_of, consented_to, in_space, events_from) WHERE begins
GROUP BY space, profile_id, session ORDER BY space, profile_id, session
