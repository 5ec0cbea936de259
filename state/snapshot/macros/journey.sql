-- journey(profile)
-- What happened to a profile, oldest first: its events and its changes
-- FROM journey('anna')
SELECT e.event_time AS moment, 'event' AS kind, coalesce(e.event, e.type) AS what, coalesce(e.properties, e.traits) AS detail
FROM attributions a JOIN events e ON e.message_id = a.message_id AND e.space = a.space WHERE a.profile_id = profile
UNION ALL
SELECT c.clock, 'change', c.type || coalesce(' ' || (c.body ->> '$.segment'), ''), c.body
FROM changes c WHERE c.profile_id = profile ORDER BY 1, 2 DESC, 3
