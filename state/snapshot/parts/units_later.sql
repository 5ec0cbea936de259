-- units_later(unit, day, number)
-- The day so many calendar units later
(day + CASE unit WHEN 'day' THEN to_days(CAST(number AS INTEGER)) WHEN 'week' THEN to_days(CAST(7 * number AS INTEGER)) ELSE to_months(CAST(number AS INTEGER)) END)
