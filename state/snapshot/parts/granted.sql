-- granted(purpose_name)
-- Who grants a purpose: by decision, or by its default if nothing was decided; of a purpose that is not declared nobody
SELECT p.space, p.profile_id
FROM profiles p JOIN purposes d ON d.space = p.space AND d.purpose = purpose_name
  LEFT JOIN consents c ON c.space = p.space AND c.profile_id = p.profile_id AND c.purpose = purpose_name
WHERE purpose_name IS NOT NULL AND coalesce(c.granted, d.granted_by_default)
