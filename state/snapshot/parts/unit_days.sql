-- unit_days(unit)
-- How many days a rolling day, week or month has: 1, 7 or 30
(CASE unit WHEN 'day' THEN 1 WHEN 'week' THEN 7 WHEN 'month' THEN 30 END)
