-- quarantine_reasons()
-- Refused records by reason, with an example of each
-- FROM quarantine_reasons()
SELECT space, reason, count(*) AS records, any_value(detail) AS example
FROM quarantine GROUP BY space, reason ORDER BY records DESC
