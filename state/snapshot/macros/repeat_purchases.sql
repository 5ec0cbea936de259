-- repeat_purchases(order_event, amount := NULL, unit := 'day', through := NULL, tz := 'UTC', members_of := NULL, consented_to := NULL,
--   in_space := NULL, events_from := 'timeline')
-- What models of customer lifetime value take: purchase days after the first, when the last was, how long ago the first, and the mean
-- FROM repeat_purchases('order_completed', amount := 'revenue', unit := 'week', through := '2026-01-31')
WITH
last_day AS (SELECT coalesce(CAST(through AS DATE), CAST(local_unit('day', clock_of(in_space), tz) AS DATE)) AS through_day),
days AS (
  SELECT space, profile_id, CAST(local_unit('day', event_time, tz) AS DATE) AS day, coalesce(sum(number_at(properties, amount)), 0) AS total
  FROM asked_events(NULL, NULL, members_of, consented_to, in_space, events_from)
  WHERE event = order_event AND begins GROUP BY ALL),
people AS (
  SELECT space, profile_id, min(day) AS first_day, max(day) AS last_day, count(*) AS number,
    sum(total) AS total, arg_min(total, day) AS first_total, any_value(through_day) AS through_day
  FROM days CROSS JOIN last_day WHERE day <= through_day GROUP BY space, profile_id)
SELECT space, profile_id, number - 1 AS frequency, (last_day - first_day) / unit_days(unit) AS recency, (through_day - first_day) / unit_days(unit) AS age,
  CASE WHEN amount IS NOT NULL AND number > 1 THEN (total - first_total) / (number - 1) END AS monetary
FROM people
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL WHERE NOT one_of('unit', unit, ['day', 'week', 'month'])
ORDER BY 1, 2
