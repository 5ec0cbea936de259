-- one_of(argument, given, allowed)
-- True if an argument is one of those allowed, else an error that names them
(CASE WHEN list_contains(allowed, given) THEN true ELSE error(
  'expected ' || argument || ' to be one of ' || array_to_string(allowed, ', ') || ', found ' || coalesce('''' || given || '''', 'NULL')) END)
