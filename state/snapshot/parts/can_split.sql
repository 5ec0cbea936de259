-- can_split(split_by)
-- True if a funnel can be split by this, or by nothing, else an error
(CASE WHEN split_by IS NULL OR regexp_matches(split_by, '^(properties|context|traits|segment)\..') THEN true ELSE error(
  'expected split_by to be properties.PATH, context.PATH, traits.PATH or segment.NAME, found ''' || split_by || '''') END)
