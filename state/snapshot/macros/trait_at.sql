-- trait_at(space_name, profile, trait_name, moment)
-- The value of a plain trait as it had been written by a moment; NULL if it had not
-- SELECT trait_at('shop', 'anna', 'plan', '2026-01-10')
((SELECT arg_max(written, (written_at, by_message))
  FROM (SELECT space AS of_space, profile_id AS of_profile, trait AS of_trait, value AS written, set_at AS written_at, message_id AS by_message FROM trait_history)
  WHERE of_space = space_name AND of_profile = profile AND of_trait = trait_name AND written_at <= CAST(moment AS TIMESTAMP)))
