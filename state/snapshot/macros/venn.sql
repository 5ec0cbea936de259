-- venn(segment_names, moment := NULL, consented_to := NULL, in_space := NULL)
-- How many people are in exactly these of some segments, now or at a moment
-- FROM venn(['vips', 'news'])
SELECT segments, count(*) AS people
FROM (SELECT list_select(CAST(segment_names AS VARCHAR[]), list(CAST(place AS BIGINT) ORDER BY place)) AS segments
      FROM asked_members(segment_names, moment, consented_to, in_space) GROUP BY space, profile_id)
GROUP BY segments ORDER BY people DESC, segments
