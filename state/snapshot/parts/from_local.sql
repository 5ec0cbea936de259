-- from_local(moment, tz)
-- A moment of a time zone's clock in UTC
(CASE WHEN upper(tz) = 'UTC' THEN moment ELSE timezone('UTC', timezone(tz, moment)) END)
