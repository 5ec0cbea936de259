-- segment_sizes()
-- Members now, members ever and stays, by segment
-- FROM segment_sizes()
SELECT space, segment, count(*) FILTER (exited_at IS NULL) AS members,
  count(DISTINCT profile_id) AS members_ever, count(*) AS stays, max(entered_at) AS last_entered_at
FROM memberships GROUP BY space, segment ORDER BY members DESC, segment
