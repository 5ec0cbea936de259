-- sequences(length := 2, gap := INTERVAL 30 MINUTES, collapse := true, since := NULL, until := NULL, members_of := NULL, consented_to := NULL,
--   in_space := NULL, events_from := 'timeline')
-- Every run of so many events in a row in a session, overlapping, the most frequent first
-- FROM sequences(gap := '7 days')
SELECT events, count(*) AS times, count(DISTINCT (space, profile_id)) AS people
FROM (SELECT space, profile_id, path[place:place + length - 1] AS events
      FROM (SELECT *, unnest(range(1, len(path) - length + 2)) AS place
            FROM session_paths(gap, collapse, since, until, members_of, consented_to, in_space, events_from))
      UNION ALL SELECT NULL, NULL, NULL WHERE NOT at_least('length', length, 1))
GROUP BY events ORDER BY times DESC, people DESC, events
