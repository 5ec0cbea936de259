-- longer_than_nothing(argument, given)
-- True if an argument is an interval longer than nothing, else an error
(CASE WHEN span(argument, given) > INTERVAL 0 DAYS THEN true ELSE error(
  'expected ' || argument || ' to be longer than nothing, found ''' || CAST(given AS VARCHAR) || '''') END)
