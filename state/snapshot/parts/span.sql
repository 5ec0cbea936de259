-- span(argument, given)
-- The INTERVAL that an argument is or writes, such as '7 days'; an error if it is none, or less than nothing
(CASE WHEN TRY_CAST(given AS INTERVAL) >= INTERVAL 0 DAYS THEN TRY_CAST(given AS INTERVAL) ELSE error(
  'expected ' || argument || ' to be an interval such as ''7 days'', found ' || coalesce('''' || CAST(given AS VARCHAR) || '''', 'NULL')) END)
