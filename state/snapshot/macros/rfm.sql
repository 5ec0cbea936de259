-- rfm(order_event, amount, moment := NULL, tiles := 5, since := NULL, members_of := NULL, consented_to := NULL, in_space := NULL,
--   events_from := 'timeline')
-- How lately, how often and for how much people have ordered, each with a score from 1 to tiles
-- FROM rfm('order_completed', 'revenue', tiles := 2)
WITH
until_then AS (SELECT coalesce(CAST(moment AS TIMESTAMP), clock_of(in_space)) AS then_at),
orders AS (
  SELECT space, profile_id, max(event_time) AS last_order_at, count(*) AS frequency, coalesce(sum(number_at(properties, amount)), 0) AS monetary
  FROM asked_events(since, NULL, NULL, consented_to, in_space, events_from) CROSS JOIN until_then
  WHERE event = order_event AND begins AND event_time <= then_at GROUP BY space, profile_id),
people AS (
  SELECT o.*, then_at, rank() OVER (ORDER BY last_order_at) AS later_than, rank() OVER (ORDER BY frequency) AS more_than,
    rank() OVER (ORDER BY monetary) AS richer_than, count(*) OVER () AS everybody
  FROM orders o CROSS JOIN until_then
  WHERE begins_at(o.space, o.profile_id, then_at, NULL, NULL, members_of))
SELECT space, profile_id, last_order_at, CAST((epoch_us(then_at) - epoch_us(last_order_at)) // 86400000000 AS INTEGER) AS recency_days,
  frequency, monetary, CAST(1 + tiles * (later_than - 1) // everybody AS INTEGER) AS r, CAST(1 + tiles * (more_than - 1) // everybody AS INTEGER) AS f,
  CAST(1 + tiles * (richer_than - 1) // everybody AS INTEGER) AS m, concat(r, f, m) AS score
FROM people
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(members_of) WHERE members_of IS NOT NULL
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE NOT at_least('tiles', tiles, 1)
ORDER BY 1, 2
