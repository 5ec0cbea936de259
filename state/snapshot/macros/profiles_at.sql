-- profiles_at(moment, in_space := NULL)
-- Everybody who had been seen by a moment, with the traits that identify calls had written by then; computed traits are not among them
-- FROM profiles_at('2026-01-05 09:30')
WITH
seen AS (
  SELECT a.space, a.profile_id, min(e.event_time) AS first_at, max(e.event_time) AS last_at
  FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
  WHERE e.event_time <= CAST(moment AS TIMESTAMP) AND (in_space IS NULL OR a.space = in_space) GROUP BY a.space, a.profile_id),
said AS (
  SELECT space, profile_id, json_group_object(trait, value) AS known
  FROM (SELECT * FROM trait_history
        WHERE set_at <= CAST(moment AS TIMESTAMP) AND (until IS NULL OR until > CAST(moment AS TIMESTAMP)) AND json_type(value) <> 'NULL'
        ORDER BY trait)
  GROUP BY space, profile_id)
SELECT s.space, s.profile_id, s.first_at AS first_seen, s.last_at AS last_seen, coalesce(t.known, '{}') AS traits
FROM seen s LEFT JOIN said t ON t.space = s.space AND t.profile_id = s.profile_id
ORDER BY 1, 2
