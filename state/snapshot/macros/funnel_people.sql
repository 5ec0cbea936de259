-- funnel_people(steps, within := INTERVAL 30 DAYS, ordering := 'ordered', split_by := NULL, since := NULL, until := NULL, members_of := NULL,
--   consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- Who came how far in a funnel, and when: everybody who is at its first step at least
-- FROM funnel_people(['product_viewed', 'product_added', 'order_completed'], within := '7 days')
WITH RECURSIVE
wanted AS (
  SELECT DISTINCT step, unnest(string_split(said, '|')) AS event
  FROM (SELECT unnest(CAST(steps AS VARCHAR[])) AS said, generate_subscripts(CAST(steps AS VARCHAR[]), 1) AS step)),
asked AS MATERIALIZED (
  SELECT e.* FROM asked_events(since, until, members_of, consented_to, in_space, events_from) e
  WHERE ordering = 'strict' OR e.event IN (SELECT w.event FROM wanted w)),
-- Of events of one time none is later: of each time, the first and the last that may be an entry.
happened AS MATERIALIZED (
  SELECT w.step, e.space, e.profile_id, e.event_time AS done_at, min(e.message_id) AS message_id,
    min(e.message_id) FILTER (e.begins) AS first_id, max(e.message_id) FILTER (e.begins) AS last_id
  FROM asked e JOIN wanted w ON w.event = e.event WHERE ordering <> 'strict' GROUP BY ALL),
-- From each event of a step to the latest one of the step before: with it comes the latest entry that leads there.
in_order AS (
  SELECT step, space, profile_id, done_at, first_id, last_id, [done_at] AS times
  FROM happened WHERE ordering = 'ordered' AND step = 1 AND first_id IS NOT NULL
  UNION ALL
  SELECT step, space, profile_id, done_at, last_id, last_id, list_append(times, done_at)
  FROM (SELECT step, space, profile_id, done_at, is_next, last_value(last_id IGNORE NULLS) OVER before AS last_id, last_value(times IGNORE NULLS) OVER before AS times
        FROM (SELECT h.step, h.space, h.profile_id, h.done_at, true AS is_next, NULL AS last_id, NULL AS times
              FROM happened h WHERE h.step = (SELECT max(r.step) + 1 FROM in_order r)
              UNION ALL SELECT r.step, r.space, r.profile_id, r.done_at, false, r.last_id, r.times FROM in_order r)
        WINDOW before AS (PARTITION BY space, profile_id ORDER BY done_at, is_next DESC ROWS UNBOUNDED PRECEDING))
  WHERE is_next AND done_at < times[1] + span('within', within)),
placed AS MATERIALIZED (
  SELECT e.space, e.profile_id, e.event, e.event_time AS done_at, e.message_id, e.begins,
    row_number() OVER (PARTITION BY e.space, e.profile_id ORDER BY e.event_time, e.message_id) AS place
  FROM asked e WHERE ordering = 'strict'),
at_once AS (
  SELECT w.step, p.space, p.profile_id, p.done_at, p.message_id, [p.done_at] AS times, p.place
  FROM placed p JOIN wanted w ON w.event = p.event WHERE w.step = 1 AND p.begins
  UNION ALL
  SELECT w.step, p.space, p.profile_id, p.done_at, r.message_id, list_append(r.times, p.done_at), p.place
  FROM at_once r JOIN placed p ON p.space = r.space AND p.profile_id = r.profile_id AND p.place = r.place + 1
    JOIN wanted w ON w.event = p.event AND w.step = r.step + 1
  WHERE p.done_at > r.done_at AND p.done_at < r.times[1] + span('within', within)),
-- From each start to the first event of every step.
around AS (
  SELECT s.space, s.profile_id, s.done_at AS start_at, s.last_id, h.done_at, h.message_id
  FROM (SELECT b.*, w.step AS other FROM (SELECT space, profile_id, done_at, max(last_id) AS last_id FROM happened
                                          WHERE ordering = 'any' AND last_id IS NOT NULL GROUP BY ALL) b
        CROSS JOIN (SELECT DISTINCT step FROM wanted) w) s
    ASOF JOIN happened h ON s.space = h.space AND s.profile_id = h.profile_id AND s.other = h.step AND s.done_at <= h.done_at
  WHERE h.done_at < s.done_at + span('within', within)),
attempts AS (
  SELECT space, profile_id, step AS level, CASE WHEN step = 1 THEN first_id ELSE last_id END AS entry, times,
    done_at AS complete_at, '' AS complete_id, times[1] AS start_at FROM in_order
  UNION ALL
  SELECT space, profile_id, step, message_id, times, done_at, '', times[1] FROM at_once
  UNION ALL
  SELECT space, profile_id, count(*), any_value(last_id), list_sort(list(done_at)), max(done_at), arg_max(message_id, (done_at, message_id)), start_at
  FROM around GROUP BY space, profile_id, start_at),
best AS (
  FROM attempts QUALIFY row_number() OVER (
    PARTITION BY space, profile_id ORDER BY level DESC, complete_at, complete_id, start_at DESC, entry) = 1)
SELECT b.space, b.profile_id, CAST(b.level AS INTEGER) AS level,
  CASE WHEN split_by LIKE 'properties.%' THEN value_at(e.properties, substr(split_by, 12))
       WHEN split_by LIKE 'context.%' THEN value_at(e.context, substr(split_by, 9))
       WHEN split_by LIKE 'traits.%' THEN value_at(p.traits, substr(split_by, 8))
       WHEN split_by LIKE 'segment.%' THEN CAST(EXISTS (
         FROM stays_of(CASE WHEN split_by LIKE 'segment.%' THEN substr(split_by, 9) END) s
         WHERE s.space = b.space AND s.profile_id = b.profile_id AND s.entered_at <= b.times[1] AND b.times[1] < s.exited_at) AS VARCHAR)
  END AS value, b.times[1] AS entered_at, b.times[-1] AS reached_at, b.times
FROM best b
  LEFT JOIN (FROM asked WHERE split_by LIKE 'properties.%' OR split_by LIKE 'context.%') e
    ON e.space = b.space AND e.profile_id = b.profile_id AND e.message_id = b.entry
  LEFT JOIN (FROM profiles WHERE split_by LIKE 'traits.%') p ON p.space = b.space AND p.profile_id = b.profile_id
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM known_segment(substr(split_by, 9)) WHERE split_by LIKE 'segment.%'
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL
WHERE NOT (one_of('ordering', ordering, ['ordered', 'strict', 'any']) AND at_least('the number of steps', len(CAST(steps AS VARCHAR[])), 1)
  AND span('within', within) IS NOT NULL AND can_split(split_by))
ORDER BY 1, 2
