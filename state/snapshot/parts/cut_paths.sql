-- cut_paths(depth, start_event, end_event, gap, collapse, since, until, members_of, consented_to, in_space, events_from)
-- The path of each session: from the first start_event on, or up to the first end_event, at most depth events
SELECT space, profile_id, CASE WHEN end_event IS NOT NULL THEN path[greatest(list_position(path, end_event) - depth + 1, 1):list_position(path, end_event)]
  WHEN start_event IS NOT NULL THEN path[list_position(path, start_event):list_position(path, start_event) + depth - 1] ELSE path[1:depth] END AS path
FROM session_paths(gap, collapse, since, until, members_of, consented_to, in_space, events_from)
WHERE (start_event IS NULL OR list_contains(path, start_event)) AND (end_event IS NULL OR list_contains(path, end_event))
UNION ALL
SELECT NULL, NULL, NULL WHERE NOT (at_least('depth', depth, 1) AND one_end(start_event, end_event))
