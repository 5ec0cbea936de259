-- segments_of(profile, moment := NULL, in_space := NULL)
-- The segments that a profile is in now, or had been announced as a member of at a moment
-- FROM segments_of('cleo')
SELECT segment, entered_at, exited_at, version, space FROM memberships
WHERE profile_id = profile AND (in_space IS NULL OR space = in_space)
  AND CASE WHEN moment IS NULL THEN exited_at IS NULL
           ELSE entered_at <= CAST(moment AS TIMESTAMP) AND (exited_at IS NULL OR exited_at > CAST(moment AS TIMESTAMP)) END
ORDER BY segment, entered_at, space
