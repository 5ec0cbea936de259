-- events_by_day(event_name)
-- Events of a name and the profiles behind them, by day (UTC)
-- FROM events_by_day('product_viewed')
SELECT CAST(e.event_time AS DATE) AS day, count(*) AS events, count(DISTINCT a.profile_id) AS profiles
FROM events e LEFT JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space
WHERE e.event = event_name GROUP BY day ORDER BY day
