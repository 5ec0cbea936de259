-- attribution(conversion_event, model := 'last', half_life := INTERVAL 7 DAYS, direct := ['direct', '(direct)', '(none)'],
--   lookback := INTERVAL 30 DAYS, amount := NULL, collapse := false, touches := 'touches', since := NULL, until := NULL, members_of := NULL,
--   consented_to := NULL, in_space := NULL, events_from := 'timeline')
-- Which channels conversions, and what they are worth, are credited to; channel NULL is those without a touch
-- FROM attribution('order_completed', model := 'linear', amount := 'revenue')
WITH
led AS MATERIALIZED (
  SELECT row_number() OVER () AS path_number, converted_at, value AS worth, channels, times
  FROM attribution_paths(conversion_event, lookback := lookback, amount := amount, collapse := collapse, touches := touches, since := since,
    until := until, members_of := members_of, consented_to := consented_to, in_space := in_space, events_from := events_from)
  WHERE converted),
met AS (
  SELECT path_number, converted_at, worth, len(channels) AS number, unnest(channels) AS by_channel, unnest(times) AS met_at,
    generate_subscripts(channels, 1) AS place FROM led),
weighed AS (
  SELECT *, CASE model
      WHEN 'first' THEN CAST(place = 1 AS INTEGER)
      WHEN 'last' THEN CAST(place = number AS INTEGER)
      WHEN 'last_non_direct' THEN CAST(place = coalesce(max(CASE WHEN NOT list_contains(CAST(direct AS VARCHAR[]), by_channel) THEN place END) OVER path, number) AS INTEGER)
      WHEN 'position' THEN CASE WHEN number <= 2 THEN 1 WHEN place IN (1, number) THEN 0.4 ELSE 0.2 / (number - 2) END
      WHEN 'time_decay' THEN pow(2.0, (epoch_us(met_at) - max(epoch_us(met_at)) OVER path) / epoch_us(CAST(half_life AS INTERVAL)))
      WHEN 'shapley' THEN 1.0 / count(*) OVER (PARTITION BY path_number, by_channel)
      ELSE 1 END AS weight
  FROM met WINDOW path AS (PARTITION BY path_number)),
credited AS (
  SELECT path_number, by_channel, worth, CAST(weight AS DOUBLE) / sum(CAST(weight AS DOUBLE)) OVER (PARTITION BY path_number) AS credit FROM weighed
  UNION ALL
  SELECT path_number, NULL, worth, 1 FROM led WHERE len(channels) = 0)
SELECT by_channel AS channel, sum(credit) AS conversions, CASE WHEN amount IS NOT NULL THEN sum(credit * coalesce(worth, 0)) END AS value,
  count(DISTINCT path_number) AS paths
FROM credited GROUP BY by_channel
UNION ALL
SELECT NULL, NULL, NULL, NULL
WHERE NOT (one_of('model', model, ['first', 'last', 'last_non_direct', 'linear', 'position', 'time_decay', 'shapley'])
  AND longer_than_nothing('half_life', half_life))
ORDER BY 2 DESC, 3 DESC, 1 NULLS LAST
