-- What people did: every event that has a name and belongs to somebody; identify, group and alias are not things done
-- space VARCHAR: The space (brand or region) that the row belongs to
-- profile_id VARCHAR: The profile, as in table profiles
-- event_time TIMESTAMP: When it happened (UTC, corrected)
-- message_id VARCHAR: The event's message id, unique in its space; of one time the smaller is the earlier
-- event VARCHAR: Normalised name, such as order_completed or page_viewed
-- properties JSON: properties of the call
-- context JSON: context of the call; under lookup what lookups have found
-- session INTEGER: Session of the person, from 1 in its life; a silence longer than session_gap of identity.yaml begins one. NULL: no name, no session
SELECT e.space, a.profile_id, e.event_time, e.message_id, e.event, e.properties, e.context, a.session
FROM events e JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space WHERE e.event IS NOT NULL
