-- one_end(start_event, end_event)
-- True if a path has at most one of its ends given, else an error
(CASE WHEN start_event IS NULL OR end_event IS NULL THEN true ELSE error(
  'expected start_event or end_event, found both: a path is read from where it starts or from where it ends') END)
