-- stays_of(segment_name)
-- The stays in a segment, each with its end or infinity
SELECT space, profile_id, entered_at, coalesce(exited_at, 'infinity'::TIMESTAMP) AS exited_at FROM memberships WHERE segment = segment_name
