-- begins_at(space_name, profile, moment, since, until, members_of)
-- Whether a moment lies in the range and, if a segment is given, the profile was a member then
((since IS NULL OR moment >= CAST(since AS TIMESTAMP)) AND (until IS NULL OR moment < CAST(until AS TIMESTAMP))
  AND (members_of IS NULL OR EXISTS (
    FROM (SELECT space AS of_space, profile_id AS of_profile, entered_at AS stay_from, exited_at AS stay_to FROM stays_of(members_of))
    WHERE of_space = space_name AND of_profile = profile AND stay_from <= moment AND moment < stay_to)))
