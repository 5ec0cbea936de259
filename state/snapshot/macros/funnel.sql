-- funnel(steps, within := INTERVAL 30 DAYS, ordering := 'ordered', split_by := NULL, since := NULL, until := NULL, members_of := NULL,
--   consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- How many people took each step of a list, one later than the other (names joined by a bar are one step), how long it took, and what
-- share went on
-- FROM funnel(['product_viewed', 'product_added', 'order_completed'], within := '7 days')
WITH reached AS MATERIALIZED (
  FROM funnel_people(steps, within := within, ordering := ordering, split_by := split_by, since := since, until := until,
    members_of := members_of, consented_to := consented_to, in_space := in_space, events_from := events_from)),
rows AS (
  SELECT v.value, n.step, n.said, count(r.level) AS people, median(epoch_us(r.times[n.step]) - epoch_us(r.times[n.step - 1])) AS us,
    median(epoch_us(r.times[n.step]) - epoch_us(r.times[1])) AS us_from_first
  FROM (SELECT DISTINCT value FROM reached UNION SELECT NULL WHERE split_by IS NULL) v
    CROSS JOIN (SELECT unnest(CAST(steps AS VARCHAR[])) AS said, generate_subscripts(CAST(steps AS VARCHAR[]), 1) AS step) n
    LEFT JOIN reached r ON r.value IS NOT DISTINCT FROM v.value AND r.level >= n.step
  GROUP BY ALL)
SELECT value, CAST(step AS INTEGER) AS step, CASE WHEN ordering <> 'any' THEN said END AS event, people,
  people / nullif(entered, 0) AS share_of_first, people / nullif(before, 0) AS share_of_previous,
  CASE WHEN step > 1 THEN us / 1e6 END AS median_seconds, CASE WHEN step > 1 THEN us_from_first / 1e6 END AS median_seconds_from_first
FROM (SELECT *, first(people) OVER steps_of AS entered, coalesce(lag(people) OVER steps_of, people) AS before
      FROM rows WINDOW steps_of AS (PARTITION BY value ORDER BY step))
ORDER BY entered DESC, 1 NULLS LAST, 2
