-- attribution_paths(conversion_event, lookback := INTERVAL 30 DAYS, amount := NULL, collapse := false, touches := 'touches', since := NULL,
--   until := NULL, members_of := NULL, consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- The channels that led to each conversion, in order, and those of people who did not convert, up to their last
-- FROM attribution_paths('order_completed', amount := 'revenue')
WITH
met AS MATERIALIZED (FROM asked_touches(since, until, members_of, consented_to, in_space, touches)),
conversions AS MATERIALIZED (
  SELECT space, profile_id, message_id, event_time AS ends_at, number_at(properties, amount) AS amounts_to
  FROM asked_events(since, until, members_of, consented_to, in_space, events_from) WHERE event = conversion_event AND begins),
ends AS (
  SELECT space, profile_id, message_id, ends_at, true AS converts, CASE WHEN amount IS NOT NULL THEN amounts_to END AS amounts_to FROM conversions
  UNION ALL
  SELECT m.space, m.profile_id, NULL, max(m.event_time), false, NULL
  FROM met m ANTI JOIN conversions c ON c.space = m.space AND c.profile_id = m.profile_id WHERE m.begins GROUP BY m.space, m.profile_id),
led AS (
  SELECT e.*, m.channel, m.event_time AS met_at, m.message_id AS met_by,
    lead(m.channel) OVER (PARTITION BY e.space, e.profile_id, e.message_id ORDER BY m.event_time, m.message_id) AS next_channel
  FROM ends e LEFT JOIN met m ON m.space = e.space AND m.profile_id = e.profile_id
    AND m.event_time <= e.ends_at AND m.event_time > e.ends_at - span('lookback', lookback))
SELECT space, profile_id, message_id, CASE WHEN converts THEN ends_at END AS converted_at, converts AS converted, any_value(amounts_to) AS value,
  coalesce(list(channel ORDER BY met_at, met_by) FILTER (channel IS NOT NULL AND NOT (collapse AND next_channel IS NOT DISTINCT FROM channel)), []) AS channels,
  coalesce(list(met_at ORDER BY met_at, met_by) FILTER (channel IS NOT NULL AND NOT (collapse AND next_channel IS NOT DISTINCT FROM channel)), []) AS times
FROM led GROUP BY space, profile_id, message_id, ends_at, converts
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE span('lookback', lookback) IS NULL
ORDER BY 1, 2, 4, 3
