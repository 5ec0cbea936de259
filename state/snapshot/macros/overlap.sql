-- overlap(segment_names, moment := NULL, consented_to := NULL, in_space := NULL)
-- For each two of some segments: how many people are in one, in the other and in both, now or at a moment
-- FROM overlap(['vips', 'news'])
WITH
members AS MATERIALIZED (FROM asked_members(segment_names, moment, consented_to, in_space)),
named AS (
  SELECT n.place, n.name, count(m.profile_id) AS people
  FROM (SELECT unnest(CAST(segment_names AS VARCHAR[])) AS name, generate_subscripts(CAST(segment_names AS VARCHAR[]), 1) AS place) n
    LEFT JOIN members m ON m.place = n.place GROUP BY ALL),
shared AS (
  SELECT a.place AS of_one, b.place AS of_other, count(*) AS people
  FROM members a JOIN members b ON a.space = b.space AND a.profile_id = b.profile_id AND a.place < b.place GROUP BY ALL)
SELECT a.name AS one, b.name AS other, a.people AS one_people, b.people AS other_people, coalesce(s.people, 0) AS both,
  coalesce(s.people, 0) / nullif(a.people + b.people - coalesce(s.people, 0), 0) AS jaccard
FROM named a JOIN named b ON a.place < b.place LEFT JOIN shared s ON s.of_one = a.place AND s.of_other = b.place
ORDER BY a.place, b.place
