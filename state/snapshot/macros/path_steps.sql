-- path_steps(depth := 5, start_event := NULL, end_event := NULL, gap := INTERVAL 30 MINUTES, collapse := true, since := NULL, until := NULL,
--   members_of := NULL, consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- The moves of those ways: from which event to which, at which step; to_event NULL is a session that ended there
-- FROM path_steps(depth := 2, gap := '7 days')
SELECT CAST(step AS INTEGER) AS step, path[step] AS from_event, path[step + 1] AS to_event, count(*) AS times, count(DISTINCT (space, profile_id)) AS people
FROM (SELECT *, unnest(range(1, len(path) + CASE WHEN end_event IS NULL AND len(path) < depth THEN 1 ELSE 0 END)) AS step
      FROM cut_paths(depth, start_event, end_event, gap, collapse, since, until, members_of, consented_to, in_space, events_from))
GROUP BY ALL ORDER BY step, times DESC, from_event, to_event NULLS LAST
