-- paths(depth := 5, start_event := NULL, end_event := NULL, gap := INTERVAL 30 MINUTES, collapse := true, since := NULL, until := NULL,
--   members_of := NULL, consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- The ways that people take through their sessions, the most frequent first
-- FROM paths(gap := '7 days')
SELECT path, count(*) AS times, count(DISTINCT (space, profile_id)) AS people
FROM cut_paths(depth, start_event, end_event, gap, collapse, since, until, members_of, consented_to, in_space, events_from)
GROUP BY path ORDER BY times DESC, people DESC, path
