-- segment_history(segment_name, unit := 'day', tz := 'UTC', since := NULL, until := NULL, in_space := NULL)
-- Members at the end of each day, week or month, and how many entered and left in it, as announced
-- FROM segment_history('vips', until := '2026-01-09')
WITH
stays AS MATERIALIZED (SELECT * FROM stays_of(segment_name) WHERE in_space IS NULL OR space = in_space),
moves AS (
  SELECT moved_in, count(*) FILTER (enters) AS entered, count(*) FILTER (NOT enters) AS exited
  FROM (SELECT local_unit(unit, entered_at, tz) AS moved_in, true AS enters FROM stays
        UNION ALL SELECT local_unit(unit, exited_at, tz), false FROM stays WHERE isfinite(exited_at))
  GROUP BY moved_in),
units AS (
  SELECT unnest(generate_series(
    coalesce(local_unit(unit, CAST(since AS TIMESTAMP), tz), (SELECT min(moved_in) FROM moves)),
    coalesce(local_unit(unit, CAST(until AS TIMESTAMP) - INTERVAL 1 MICROSECOND, tz), local_unit(unit, clock_of(in_space), tz)),
    CASE unit WHEN 'day' THEN INTERVAL 1 DAY WHEN 'week' THEN INTERVAL 7 DAYS ELSE INTERVAL 1 MONTH END)) AS moved_in),
summed AS (
  SELECT coalesce(u.moved_in, m.moved_in) AS began_in, u.moved_in IS NOT NULL AS asked, coalesce(m.entered, 0) AS came, coalesce(m.exited, 0) AS went,
    sum(came - went) OVER (ORDER BY coalesce(u.moved_in, m.moved_in)) AS stayed
  FROM units u FULL JOIN moves m ON m.moved_in = u.moved_in)
SELECT CAST(began_in AS DATE) AS period, CAST(stayed AS BIGINT) AS members, came AS entered, went AS exited FROM summed WHERE asked
UNION ALL
SELECT NULL, NULL, NULL, NULL FROM known_segment(segment_name)
UNION ALL
SELECT NULL, NULL, NULL, NULL WHERE NOT one_of('unit', unit, ['day', 'week', 'month'])
ORDER BY 1
