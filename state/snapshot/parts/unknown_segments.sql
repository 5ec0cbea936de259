-- unknown_segments(segment_names)
-- No row; an error that names the segments if one of these is none, or if there is none in the list
SELECT NULL AS nothing
FROM (SELECT list(DISTINCT segment) AS known FROM (SELECT segment FROM segments UNION ALL SELECT segment FROM memberships))
WHERE CASE WHEN len(segment_names) > 0 AND list_has_all(coalesce(known, []), segment_names) THEN false ELSE error(
  'expected names of segments, found ' || coalesce(CAST(segment_names AS VARCHAR), 'NULL') || '; '
  || coalesce('they are: ' || array_to_string(list_sort(known), ', '), 'there are none')) END
