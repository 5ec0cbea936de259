-- Where people came from: each of their events that names a channel
-- space VARCHAR: The space (brand or region) that the row belongs to
-- profile_id VARCHAR: The profile, as in table profiles
-- event_time TIMESTAMP: When it happened (UTC, corrected)
-- message_id VARCHAR: The event's message id, unique in its space
-- channel VARCHAR: The first that is there of properties.channel, context.campaign.medium and context.campaign.source
-- campaign VARCHAR: context.campaign.name
SELECT * FROM (
  SELECT space, profile_id, event_time, message_id,
    coalesce(properties ->> '$.channel', context ->> '$.campaign.medium', context ->> '$.campaign.source') AS channel, context ->> '$.campaign.name' AS campaign
  FROM timeline)
WHERE channel IS NOT NULL
