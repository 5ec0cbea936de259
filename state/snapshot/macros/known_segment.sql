-- known_segment(segment_name)
-- No row; an error that names the segments if no definition and no stay has this name
-- FROM known_segment('vips')
SELECT CAST(NULL AS INTEGER) AS nothing
FROM (SELECT list(DISTINCT segment) AS known FROM (SELECT segment FROM segments UNION ALL SELECT segment FROM memberships))
WHERE CASE WHEN list_contains(known, segment_name) THEN false ELSE error(
  'expected the name of a segment, found ' || coalesce('''' || segment_name || '''', 'NULL') || '; ' || coalesce('they are: '
  || array_to_string(list_sort(known), ', '), 'there are none')) END
