-- was_member(segment_name, space_name, profile, moment)
-- Whether a profile had been announced as a member of a segment at a moment
-- SELECT t.message_id, was_member('vips', t.space, t.profile_id, t.event_time) AS vip FROM timeline t WHERE t.profile_id = 'anna'
(EXISTS (
  FROM (SELECT space AS of_space, profile_id AS of_profile, entered_at AS stay_from, exited_at AS stay_to FROM stays_of(segment_name))
  WHERE of_space = space_name AND of_profile = profile AND stay_from <= CAST(moment AS TIMESTAMP) AND CAST(moment AS TIMESTAMP) < stay_to))
