-- members_at(segment_name, moment)
-- Who had been announced as a member at a moment (a TIMESTAMP or its text, UTC)
-- FROM members_at('vips', '2026-01-06 12:00')
SELECT profile_id, entered_at, exited_at, version, space FROM memberships
WHERE segment = segment_name AND entered_at <= CAST(moment AS TIMESTAMP)
  AND (exited_at IS NULL OR exited_at > CAST(moment AS TIMESTAMP))
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL FROM known_segment(segment_name)
ORDER BY entered_at, profile_id
