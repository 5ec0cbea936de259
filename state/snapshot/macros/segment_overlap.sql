-- segment_overlap(one, other)
-- How many are in one segment, in the other, and in both
-- FROM segment_overlap('vips', 'news')
SELECT count(*) FILTER (in_one) AS members_of_one, count(*) FILTER (in_other) AS members_of_other,
  count(*) FILTER (in_one AND in_other) AS members_of_both
FROM (SELECT profile_id, bool_or(segment = one) AS in_one, bool_or(segment = other) AS in_other FROM memberships
      WHERE exited_at IS NULL AND segment IN (one, other) GROUP BY space, profile_id
      UNION ALL SELECT NULL, NULL, NULL FROM known_segment(one) UNION ALL SELECT NULL, NULL, NULL FROM known_segment(other))
