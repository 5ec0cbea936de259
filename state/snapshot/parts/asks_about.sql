-- asks_about(space_name, profile, consented_to, in_space)
-- Whether somebody is asked about: of one space or any, who grants a purpose or whoever
((in_space IS NULL OR space_name = in_space) AND (consented_to IS NULL OR (space_name, profile) IN (
  SELECT (of_space, of_profile) FROM (SELECT space AS of_space, profile_id AS of_profile FROM granted(consented_to)))))
