-- members(segment_name)
-- Who is in a segment now, newest first
-- FROM members('vips')
SELECT m.profile_id, m.entered_at, m.version, m.cause, p.traits, m.space
FROM memberships m LEFT JOIN profiles p ON p.profile_id = m.profile_id AND p.space = m.space
WHERE m.segment = segment_name AND m.exited_at IS NULL
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(segment_name)
ORDER BY entered_at DESC, profile_id
