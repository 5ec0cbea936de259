-- at_least(argument, given, least)
-- True if an argument is a number from least on, else an error
(CASE WHEN given >= least THEN true ELSE error(
  'expected ' || argument || ' to be a number from ' || least || ' on, found ' || coalesce(CAST(given AS VARCHAR), 'NULL')) END)
