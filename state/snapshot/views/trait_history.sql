-- Every write of a trait by an identify call, of those that are the profile's now
-- space VARCHAR: The space (brand or region) that the row belongs to
-- profile_id VARCHAR: The profile, as in table profiles
-- trait VARCHAR: Name of the trait
-- value JSON: What was written; the JSON null takes the trait away
-- set_at TIMESTAMP: When it was written (UTC)
-- until TIMESTAMP: When the trait was written again (UTC); NULL if it was not
-- message_id VARCHAR: The identify call
SELECT space, profile_id, trait, value, set_at,
  lead(set_at) OVER (PARTITION BY space, profile_id, trait ORDER BY set_at, message_id) AS until, message_id
FROM (SELECT space, profile_id, message_id, set_at, trait, traits -> ('/' || replace(replace(trait, '~', '~0'), '/', '~1')) AS value
      FROM (SELECT e.space, a.profile_id, e.message_id, e.event_time AS set_at, e.traits, unnest(json_keys(e.traits)) AS trait
            FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space WHERE e.type = 'identify'))
