-- asked_members(segment_names, moment, consented_to, in_space)
-- Who is in each of some segments, now or at a moment, with its place among them
SELECT DISTINCT n.place, s.space, s.profile_id
FROM (SELECT unnest(CAST(segment_names AS VARCHAR[])) AS name, generate_subscripts(CAST(segment_names AS VARCHAR[]), 1) AS place) n
  JOIN memberships s ON s.segment = n.name
WHERE CASE WHEN moment IS NULL THEN s.exited_at IS NULL
           ELSE s.entered_at <= CAST(moment AS TIMESTAMP) AND (s.exited_at IS NULL OR s.exited_at > CAST(moment AS TIMESTAMP)) END
  AND asks_about(s.space, s.profile_id, consented_to, in_space)
UNION ALL
SELECT NULL, NULL, NULL
WHERE EXISTS (FROM unknown_segments(CAST(segment_names AS VARCHAR[])))
