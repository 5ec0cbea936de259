-- funnel(first_event, then_event)
-- How many profiles did one thing, and how many of them another thing later
SELECT count(*) AS did_first, count(done_at) AS did_then, round(count(done_at) / nullif(count(*), 0), 4) AS share,
  median(done_at - begun_at) AS median_time_between
FROM (SELECT b.begun_at, min(e.event_time) AS done_at
      FROM (SELECT a.space, a.profile_id, min(e.event_time) AS begun_at
            FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
            WHERE e.event = first_event GROUP BY a.space, a.profile_id) b
      LEFT JOIN (SELECT a.space, a.profile_id, e.event_time
                 FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
                 WHERE e.event = then_event) e
        ON e.space = b.space AND e.profile_id = b.profile_id AND e.event_time > b.begun_at
      GROUP BY b.space, b.profile_id, b.begun_at)
