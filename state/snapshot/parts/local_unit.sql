-- local_unit(unit, moment, tz)
-- The first moment of the day, week or month in which a moment (UTC) lies in a time zone
(CASE WHEN upper(tz) = 'UTC' THEN date_trunc(unit, moment) ELSE date_trunc(unit, timezone(tz, timezone('UTC', moment))) END)
