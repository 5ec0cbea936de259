-- compare_segments(one, other, event_name, amount := NULL, moment := NULL, since := NULL, until := NULL, consented_to := NULL,
--   in_space := NULL, events_from := 'timeline')
-- What share of the members of one segment and of another did something, and how much of it, with the difference and how sure it is
-- FROM compare_segments('vips', 'news', 'order_completed', moment := '2026-01-06 06:00')
WITH
members AS (SELECT space, profile_id, min(place) AS place FROM asked_members([one, other], moment, consented_to, in_space)
            GROUP BY space, profile_id HAVING count(*) = 1),
did AS (
  SELECT space, profile_id, sum(number_at(properties, amount)) AS total
  FROM asked_events(since, until, NULL, NULL, in_space, events_from) WHERE begins AND event = event_name GROUP BY space, profile_id),
each AS (
  SELECT m.place, CASE WHEN d.profile_id IS NULL THEN 0.0::DOUBLE ELSE 1.0::DOUBLE END AS done, coalesce(d.total, 0) AS total
  FROM members m LEFT JOIN did d ON d.space = m.space AND d.profile_id = m.profile_id),
sides AS (
  SELECT 1 AS nth, 'conversion' AS metric, count(*) FILTER (place = 1) AS n1, count(*) FILTER (place = 2) AS n2,
    avg(done) FILTER (place = 1) AS m1, avg(done) FILTER (place = 2) AS m2, m1 * (1 - m1) AS v1, m2 * (1 - m2) AS v2
  FROM each
  UNION ALL
  SELECT 2, 'value', count(*) FILTER (place = 1), count(*) FILTER (place = 2),
    avg(total) FILTER (place = 1), avg(total) FILTER (place = 2), var_samp(total) FILTER (place = 1), var_samp(total) FILTER (place = 2)
  FROM each HAVING amount IS NOT NULL),
errors AS (SELECT *, m1 - m2 AS apart, sqrt(v1 / nullif(n1, 0) + v2 / nullif(n2, 0)) AS error FROM sides)
SELECT metric, n1 AS one_people, n2 AS other_people, m1 AS one_mean, m2 AS other_mean, apart AS difference, apart / nullif(m2, 0) AS lift,
  error AS standard_error, apart - 1.959963984540054 * error AS low, apart + 1.959963984540054 * error AS high, apart / nullif(error, 0) AS z
FROM errors ORDER BY nth
