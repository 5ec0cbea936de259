-- retention(start_event, return_event := NULL, unit := 'day', periods := 8, kind := 'on', rolling := false, brackets := NULL,
--   cohort := 'first', tz := 'UTC', since := NULL, until := NULL, members_of := NULL, consented_to := NULL, in_space := NULL,
--   events_from := 'timeline')
-- How many of those who did something (or, segment.NAME, entered a segment) in one day, week or month came again, by periods after it
-- FROM retention('product_viewed', unit := 'week', periods := 3)
WITH
starts AS (
  SELECT *, local_unit(unit, started_at, tz) AS began_in
  FROM started(start_event, since, until, members_of, consented_to, in_space, events_from)),
entries AS MATERIALIZED (
  SELECT space, profile_id, min(started_at) AS started_at, min(began_in) AS began_in
  FROM starts WHERE cohort = 'first' GROUP BY space, profile_id HAVING arg_min(begins, started_at)
  UNION ALL
  SELECT space, profile_id, min(started_at), began_in FROM starts WHERE cohort = 'each' AND begins GROUP BY space, profile_id, began_in),
spans AS (
  SELECT k AS low, k + 1 AS high FROM range(CASE WHEN brackets IS NULL THEN CAST(periods AS BIGINT) ELSE 0 END) t(k)
  UNION ALL
  SELECT low, high FROM (SELECT unnest(marks) AS low, unnest(marks[2:]) AS high FROM (SELECT CAST(brackets AS BIGINT[]) AS marks)) WHERE high IS NOT NULL),
came AS (
  SELECT DISTINCT n.space, n.profile_id, n.began_in,
    CASE WHEN rolling THEN (epoch_us(e.event_time) - epoch_us(n.started_at)) // (unit_days(unit) * 86400000000)
         ELSE date_diff(unit, n.began_in, local_unit(unit, e.event_time, tz)) END AS number
  FROM entries n JOIN asked_events(NULL, NULL, NULL, NULL, in_space, events_from) e
    ON e.space = n.space AND e.profile_id = n.profile_id AND e.event_time > n.started_at
  WHERE return_event IS NULL OR e.event = return_event),
counted AS (
  SELECT c.began_in, s.low, count(DISTINCT (c.space, c.profile_id)) AS people
  FROM came c JOIN spans s ON c.number >= s.low AND (kind = 'after' OR c.number < s.high) GROUP BY ALL)
SELECT CAST(n.began_in AS DATE) AS cohort, n.size, CAST(s.low AS INTEGER) AS period, coalesce(c.people, 0) AS people,
  coalesce(c.people, 0) / n.size AS share,
  coalesce(from_local(CASE WHEN rolling THEN units_later(unit, n.began_in, 1) + to_days(CAST(s.high * unit_days(unit) AS INTEGER))
                           ELSE units_later(unit, n.began_in, s.high) END, tz) <= clock_of(in_space), false) AS complete
FROM (SELECT began_in, count(*) AS size FROM entries GROUP BY began_in) n CROSS JOIN spans s
  LEFT JOIN counted c ON c.began_in = n.began_in AND c.low = s.low
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL
WHERE NOT (one_of('unit', unit, ['day', 'week', 'month']) AND one_of('kind', kind, ['on', 'after'])
  AND one_of('cohort', cohort, ['first', 'each']) AND at_least('periods', periods, 1)
  AND can_bracket(CAST(brackets AS BIGINT[]), kind))
ORDER BY 1, 3
